// What is run while things happen to it: where it begins, what is asked, and where it has to lead.

/** What the target is brought to before, by runs to which nothing happens. */
export type Beginning = '2.0.0' | '2.1.0'

/** Which state the run is asked for. */
export type Wanted =
  | { readonly release: string }
  /** The restore point that the deploy of 2.1.0 took of 2.0.0. */
  | { readonly back: 'full' | 'database' | 'config' }
  | { readonly back: 'containers'; readonly services: readonly string[] }
  /** The same, with these services stopped. */
  | { readonly stopped: readonly string[] }
  | 'the same'

export interface Scenario {
  readonly name: string
  readonly from: Beginning
  readonly kind: 'deploy' | 'rollback' | 'emergency' | 'backup'
  /** Of the request; a release's directory and the restore point are added. */
  readonly request: Readonly<Record<string, unknown>>
  readonly wanted: Wanted
  /** How it ends where nothing happens. */
  readonly ends: 'done' | 'Undone'
  /** Of its plan; a step that only a certain past brings is not among them. */
  readonly steps: readonly string[]
  /** Acts of its undo, where it comes to that by itself. */
  readonly undos?: readonly string[]
}

const deploySteps = [
  'takeRestorePoint',
  'proveRestorePoint',
  'keepMigrations',
  'keepImages',
  'putFiles',
  'buildImages',
  'startServices',
  'checkHealth',
  'checkVersion',
  'watchHealth',
  'collectLogs',
]
const migratingSteps = deploySteps.toSpliced(6, 0, 'migrateUp')
const rollbackEnd = ['restoreImages', 'startServices', 'checkHealth', 'checkVersion', 'collectLogs']
const partEnd = ['startServices', 'checkHealth', 'collectLogs']
const application = ['aria-api', 'aria-brain', 'aria-web']

export const scenarios: readonly Scenario[] = [
  {
    name: 'deploy with a migration',
    from: '2.0.0',
    kind: 'deploy',
    request: { version: '2.1.0' },
    wanted: { release: '2.1.0' },
    ends: 'done',
    steps: migratingSteps,
  },
  {
    name: 'deploy that somebody approves',
    from: '2.1.0',
    kind: 'deploy',
    request: { version: '2.1.1', approval: 'always' },
    wanted: { release: '2.1.1' },
    ends: 'done',
    steps: deploySteps,
  },
  {
    name: 'deploy that fails behind an irreversible migration',
    from: '2.1.0',
    kind: 'deploy',
    request: { version: '2.2.0-broken' },
    wanted: 'the same',
    ends: 'Undone',
    steps: migratingSteps.slice(0, 9),
    undos: ['stopServices', 'swapDatabase', 'restoreImages', 'restoreFiles', 'startServices', 'checkHealth'],
  },
  {
    name: 'rollback by migrations',
    from: '2.1.0',
    kind: 'rollback',
    request: { strategy: 'migrate' },
    wanted: { back: 'full' },
    ends: 'done',
    steps: ['takeRestorePoint', 'keepImages', 'stopServices', 'restoreFiles', 'migrateDown', ...rollbackEnd],
  },
  {
    name: 'rollback by a swap',
    from: '2.1.0',
    kind: 'rollback',
    request: { strategy: 'swap' },
    wanted: { back: 'full' },
    ends: 'done',
    steps: ['takeRestorePoint', 'keepImages', 'stopServices', 'restoreFiles', 'swapDatabase', ...rollbackEnd],
  },
  {
    name: 'rollback by a restore',
    from: '2.1.0',
    kind: 'rollback',
    request: { strategy: 'restore' },
    wanted: { back: 'full' },
    ends: 'done',
    steps: [
      'takeRestorePoint',
      'keepImages',
      'restoreDatabase',
      'stopServices',
      'restoreFiles',
      'swapDatabase',
      ...rollbackEnd,
    ],
  },
  {
    name: 'rollback that carries rows forward',
    from: '2.1.0',
    kind: 'rollback',
    request: { strategy: 'restore', carryForward: 'all' },
    wanted: { back: 'full' },
    ends: 'done',
    steps: [
      'takeRestorePoint',
      'keepImages',
      'restoreDatabase',
      'stopServices',
      'restoreFiles',
      'carryForward',
      'swapDatabase',
      ...rollbackEnd,
    ],
  },
  {
    name: 'rollback of the database',
    from: '2.1.0',
    kind: 'rollback',
    request: { scope: 'database', strategy: 'restore' },
    wanted: { back: 'database' },
    ends: 'done',
    steps: ['takeRestorePoint', 'keepImages', 'restoreDatabase', 'stopServices', 'swapDatabase', ...partEnd],
  },
  {
    name: 'rollback of a container',
    from: '2.1.0',
    kind: 'rollback',
    request: { scope: 'containers', services: ['aria-web'] },
    wanted: { back: 'containers', services: ['aria-web'] },
    ends: 'done',
    steps: ['takeRestorePoint', 'keepImages', 'stopServices', 'restoreImages', ...partEnd],
  },
  {
    name: 'rollback of the configuration',
    from: '2.1.0',
    kind: 'rollback',
    request: { scope: 'config' },
    wanted: { back: 'config' },
    ends: 'done',
    steps: ['takeRestorePoint', 'keepImages', 'stopServices', 'restoreFiles', ...partEnd],
  },
  {
    name: 'emergency of a stack that does not answer',
    from: '2.1.0',
    kind: 'emergency',
    request: { procedure: 'unresponsive' },
    wanted: { stopped: application },
    ends: 'done',
    steps: [
      'listContainers',
      'recordStop',
      'stopServices',
      'askDatabase',
      'collectLogs',
      'fenceDatabase',
      'giveVerdict',
    ],
  },
  {
    name: 'emergency stop',
    from: '2.1.0',
    kind: 'emergency',
    request: { procedure: 'stop' },
    wanted: { stopped: application },
    ends: 'done',
    steps: ['recordStop', 'stopServices', 'fenceDatabase'],
  },
  {
    name: 'restore point that is proven',
    from: '2.1.0',
    kind: 'backup',
    request: { what: 'restore-point', prove: true },
    wanted: 'the same',
    ends: 'done',
    steps: ['takeRestorePoint', 'proveRestorePoint'],
  },
]
