// A first stepback.yaml, from a look at a running Compose project: what was found, what was guessed, and where to say more.

import { draftServices } from './draft/application.js'
import { draftChecks, draftVersion } from './draft/checks.js'
import { type DraftDatabase, draftDatabase } from './draft/database.js'
import { draftFiles } from './draft/files.js'
import type { Found } from './draft/found.js'
import { type Part, section } from './draft/section.js'
import { parseConfig } from './load.js'
import { StepbackError } from '../plan/failure.js'

export interface Draft {
  readonly text: string
  /** What a person has to do before it can be used. */
  readonly todo: readonly string[]
}

/** `schema` is where an editor finds the schema of the file. Whatever is drafted is a valid configuration. */
export function draftConfig(
  found: Found,
  options: { readonly path: string; readonly schema?: string | undefined },
): Draft {
  const database = draftDatabase(found)
  const { target, project, ssh } = found
  ensureApplication(found)
  const text = [
    ...(options.schema ? [`# yaml-language-server: $schema=${options.schema}`] : []),
    `# Drafted by "stepback init" from the Compose project "${project}" on ${ssh.host}: look it over, then`,
    `#   stepback doctor ${target}`,
    '# says what is missing. docs/config.md of the package describes every key.',
    '',
    section(0, 'temporal', [
      {
        why: 'Without "address" and "namespace": those of the Temporal profile or TEMPORAL_ADDRESS, else 127.0.0.1:7233 and default.',
        key: 'taskQueue',
        value: 'stepback',
      },
    ]),
    'targets:',
    section(2, target, partsOf(found, database)),
  ].join('\n')
  parseConfig(text, options.path)
  return { text, todo: todo(found, database) }
}

function ensureApplication(found: Found): void {
  if (draftServices(found).application.length > 0) return
  throw new StepbackError({
    type: 'Refused',
    message: `project "${found.project}" runs no service besides its database, so there is nothing to deploy`,
    hint: 'start its services, and try again: docker compose up --detach',
  })
}

function partsOf(found: Found, database: DraftDatabase | undefined): Part[] {
  const { application, others } = draftServices(found)
  const files = draftFiles(found)
  const version = draftVersion(found)
  const checks = draftChecks(found, application)
  return [
    {
      why: 'As you would give it to ssh; keys, agent and jump hosts are those of your SSH configuration.',
      key: 'ssh',
      value: found.ssh,
    },
    {
      why: 'The project directory, and where restore points lie, on the host.',
      key: 'directory',
      value: found.directory,
    },
    { key: 'backups', value: files.backups },
    {
      why: 'What names the stack, from the labels of its containers: with another name Compose would start a second one.',
      key: 'compose',
      value: compose(found),
    },
    {
      why: `Stopped while files and database go back.${others.length > 0 ? ` Not stopped: ${others.join(', ')}.` : ''}`,
      key: 'services',
      value: { application },
    },
    ...list(managedWhy(files.read), 'managed', files.managed),
    ...list('What containers write, and secrets: no run ever touches it.', 'protected', files.protected),
    ...list('Keys of the environment file that keep their live value on a rollback.', 'secrets', files.secrets),
    { why: checksWhy(checks.length), key: 'health', value: { checks } },
    ...(version ? [{ why: 'Where the application says which version runs.', key: 'version', value: version }] : []),
    ...(application[0] === undefined
      ? []
      : [{ why: 'Whose last lines a deploy keeps.', key: 'logs', value: { service: application[0], lines: 50 } }]),
    ...(database ? [databasePart(database)] : []),
    { why: 'Rows that an undo may lose by itself; beyond them it asks.', key: 'undo', value: { mayLoseRows: 0 } },
  ]
}

function compose({ project, composeFiles, envFile, profiles }: Found) {
  return { project, files: composeFiles, envFile, ...(profiles.length > 0 ? { profiles } : {}) }
}

function managedWhy(read: readonly string[]): string {
  const more = read.length > 0 ? ` Directories may be named as well; containers read ${read.join(', ')}.` : ''
  return `Files of settings that go back, too: those that containers read.${more}`
}

function checksWhy(count: number): string {
  const none =
    count === 0 ? ' Nothing answered: name some, or a release counts as good as soon as its containers run.' : ''
  return `What must hold after a deploy and a rollback: addresses as the host itself reaches them, or commands in a container.${none}`
}

function databasePart({ missing: _missing, ...database }: DraftDatabase): Part {
  return {
    why:
      'The login is never written here: { envFile: KEY } is read from the environment file, { env: NAME } from the environment of the worker. ' +
      'Migrations that stepback runs itself: a module or directory of compiled TypeORM migrations, or { release: PATH } within a release.',
    key: 'database',
    value: { ...database, migrations: 'none' },
  }
}

function list(why: string, key: string, value: readonly string[]): Part[] {
  return value.length > 0 ? [{ why, key, value }] : []
}

function todo({ environment, directory, envFile, writable }: Found, database: DraftDatabase | undefined): string[] {
  return [
    ...(environment
      ? []
      : [`make the environment file, empty if you like, on the host: touch ${directory}/${envFile}`]),
    ...(writable ? [] : [`let the SSH user write to ${directory}: deploys put files there`]),
    ...(database?.missing.length
      ? [
          `set ${database.missing.join(' and ')} in the environment of the worker: the database's login is not in the environment file`,
        ]
      : []),
  ]
}
