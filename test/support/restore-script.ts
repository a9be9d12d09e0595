// A project directory with a restore point, its script, and a stand-in for Docker that notes what it is told.

import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { standalone } from '../../src/adapters/host/helper.js'
import { captureFiles } from '../../src/commands/files.js'
import { writeManifest } from '../../src/commands/manifest.js'
import { type RestoreScript, writeRestoreScript } from '../../src/commands/restore-script.js'
import { manifest } from './plans.js'

export interface Standing {
  readonly root: string
  readonly directory: string
  readonly state: string
  /** The script of the restore point. */
  readonly file: string
  /** Everything that changes something which Docker was told, a line each. */
  told(): string[]
  start(
    words: readonly string[],
    how?: { readonly shell?: string; readonly env?: NodeJS.ProcessEnv; readonly input?: string },
  ): Started
  /** The words and the environment of such a start, for whoever follows it. */
  command(shell: string, env?: NodeJS.ProcessEnv): { readonly argv: readonly string[]; readonly env: NodeJS.ProcessEnv }
  /** One operation of the helper. */
  helper(words: readonly string[], payload?: string): string
  ledger(): { readonly kind: string; readonly run: { readonly runId: string } }[]
  remove(): void
}

export interface Started {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

const id = '20261123T100000Z-2.0.0'

/** Of a stack without a database: `path` is put before the machine's own programs. */
export function standingRestorePoint(path = ''): Standing {
  const root = mkdtempSync(join(tmpdir(), "stepback it's $HOME "))
  const [directory, backups, bin] = ['pro ject', 'back ups', 'bin'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ]
  const state = join(backups, '.stepback/shop')
  for (const made of [directory, backups, bin]) mkdirSync(made)
  writeFileSync(join(bin, 'docker'), docker)
  chmodSync(join(bin, 'docker'), 0o755)
  writeFileSync(join(directory, 'docker-compose.yml'), 'services: then\n')
  writeFileSync(join(directory, '.env'), 'MODE=then\nPASSWORD=old\n')
  take({ directory, backups, state })
  writeFileSync(join(directory, 'docker-compose.yml'), 'services: now\n')
  writeFileSync(join(directory, '.env'), 'MODE=now\nPASSWORD=new\n')
  writeFileSync(join(directory, 'brought'), '')
  const file = join(backups, `restore_${id}.sh`)
  const environment = (env: NodeJS.ProcessEnv) => ({
    ...process.env,
    TOLD: join(root, 'told'),
    HOLD: join(root, 'hold'),
    PATH: `${path}${bin}:${process.env['PATH']}`,
    ...env,
  })
  const command: Standing['command'] = (shell, env = {}) => ({
    argv: [...shell.split(' '), file],
    env: environment({ STEPBACK_SHELL: shell, ...env }),
  })
  const read = (name: string) => (existsSync(join(root, name)) ? readFileSync(join(root, name), 'utf8') : '')
  return {
    root,
    directory,
    state,
    file,
    told: () => read('told').split('\n').slice(0, -1),
    command,
    start: (words, { shell = 'sh', env = {}, input = '' } = {}) => {
      const { argv, env: whole } = command(shell, env)
      return spawnSync(argv[0]!, [...argv.slice(1), ...words], { env: whole, input, encoding: 'utf8', timeout: 60_000 })
    },
    helper: (words, payload = '') => {
      const { name } = standalone().helper
      return execFileSync('sh', [join(state, name), state, '/bin/sh', 'n0', ...words], {
        input: payload,
        stdio: 'pipe',
        encoding: 'utf8',
      })
    },
    ledger: () =>
      readdirSync(join(state, 'ledger'))
        .filter((name) => name.endsWith('.json'))
        .toSorted()
        .map((name) => JSON.parse(readFileSync(join(state, 'ledger', name), 'utf8')).entry),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

const stack = (directory: string) => ({
  project: 'shop',
  directory,
  files: ['docker-compose.yml'],
  envFile: '.env',
  profiles: [],
})

function take(at: { readonly directory: string; readonly backups: string; readonly state: string }): void {
  const { directory, backups } = at
  const run = (script: string) => execFileSync('sh', ['-c', script])
  run(
    captureFiles({ directory, backups, id, composeFile: 'docker-compose.yml', envFile: '.env', paths: [], trees: [] }),
  )
  const files = [
    { name: `docker-compose_${id}.yml`, path: 'docker-compose.yml', mode: '0644' },
    { name: `env_${id}`, path: '.env', mode: '0600' },
  ].map((file) => ({ ...file, bytes: 1, sha256: sha256(join(backups, file.name)) }))
  const point = manifest({
    id,
    files,
    absentPaths: ['brought'],
    migrations: null,
    images: [{ service: 'api', id: 'sha256:old', ref: 'shop-api' }],
  })
  const script: RestoreScript = {
    manifest: point,
    stack: stack(directory),
    stateDirectory: at.state,
    backups,
    application: ['api', 'web'],
    graceSeconds: 3,
    database: null,
    levels: [
      { services: ['api'], wait: true },
      { services: ['web'], wait: false },
    ],
    files: {
      sources: files,
      files: files.map(({ name, path, mode }) => ({ path, name, mode, kind: 'file', archived: false })),
      absent: ['brought'],
      liveKeys: ['PASSWORD'],
    },
    trees: [],
    checks: [{ name: 'database', service: 'web', command: ['true'], timeoutSeconds: 1 }],
    health: { withinSeconds: 0, everySeconds: 0.1, successes: 1 },
    deployLog: 'deploy.log',
    incidents: 'logs',
    ...standalone(),
  }
  run(writeRestoreScript(script))
  run(writeManifest({ backups, manifest: point }))
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

// Of what only asks, nothing is noted. A file of that name holds the start of services, as a slow one would take long.
const docker = `#!/bin/sh
case "$*" in
*'{"service"'*) echo '{"service":"api","id":"sha256:now","ref":"shop-api"}'; exit 0 ;;
*'{{.Image}} running-1') echo 'api sha256:now'; exit 0 ;;
version* | *' inspect '* | 'compose version') exit 0 ;;
*'config --services') printf 'api\\nweb\\nlate\\n'; exit 0 ;;
'ps '*service=late*) echo late-1; exit 0 ;;
'ps '*'{{.ID}} {{.Label'*) printf '%s\\n' 'running-2 web' 'running-1 api'; exit 0 ;;
'ps '*) echo running-1; exit 0 ;;
esac
printf '%s\\n' "$*" >>"$TOLD"
case "$*" in *' up '*) while [ -e "$HOLD" ]; do sleep 0.05; done ;; esac
case "$*" in *exec*true) [ ! -e "$HOLD.ill" ] ;; esac
`
