// `restore_<id>.sh`: a way back without Temporal, without a worker and without SSH. What it does is rendered from the
// commands of the workflow; how it keeps to lease, ledger and jobs is its driver, in src/host.

import type { ServiceLevel } from '../plan/act.js'
import type { Manifest } from '../plan/manifest.js'
import { compose, serviceContainers, stop, up, type ComposeStack } from './compose.js'
import { fileFacts } from './file-facts.js'
import { restoreFiles } from './files.js'
import { restore } from './images.js'
import { places } from './places.js'
import { databaseMarks, databaseTexts } from './restore-script/database.js'
import { healthText, type AskedCheck } from './restore-script/health.js'
import { lookText } from './restore-script/look.js'
import { planText } from './restore-script/plan.js'
import { safetyText } from './restore-script/safety.js'
import { command, quote, script } from './shell.js'
import { telling } from './tidy.js'

export interface RestoreScript {
  readonly manifest: Manifest
  readonly stack: ComposeStack
  readonly stateDirectory: string
  readonly backups: string
  readonly application: readonly string[]
  readonly graceSeconds: number
  /** The database's Compose service, the live one's name, and the role that exchanges databases. */
  readonly database: { readonly service: string; readonly name: string; readonly psqlUser: string } | null
  /** Everything but the database, in the order of a start. */
  readonly levels: readonly ServiceLevel[]
  readonly files: Pick<Parameters<typeof restoreFiles>[0], 'sources' | 'files' | 'absent' | 'liveKeys'>
  /** Managed directories. */
  readonly trees: readonly string[]
  readonly checks: readonly AskedCheck[]
  readonly health: { readonly withinSeconds: number; readonly everySeconds: number; readonly successes: number }
  /** Inside the project directory: a line in the one, a note in the other. */
  readonly deployLog: string | null
  readonly incidents: string | null
  readonly helper: { readonly name: string; readonly text: string }
  /** What the script does with all of this, in POSIX sh. */
  readonly driver: string
}

/** The whole script. No value of a secret is in it. */
export function restoreScript(input: RestoreScript): string {
  const { manifest } = input
  return [
    '#!/bin/sh',
    `# Puts ${plain(manifest.target)} back to restore point ${plain(manifest.id)}, with Docker and nothing else.`,
    `#   sh restore_${plain(manifest.id)}.sh --dry-run   says what it would do      --yes   does not ask      --help`,
    ...marks(input),
    ...Object.entries(values(input)).map(([name, value]) => `${name}=${quote(value)}`),
    ...Object.entries(texts(input)).map(([name, text]) => heredoc(name, text)),
    fileFacts,
    input.driver.trimEnd(),
  ].join('\n')
}

/** Writes it beside the other files of its restore point; it is private, and may be started. */
export function writeRestoreScript(input: RestoreScript): string {
  const file = quote(`${input.backups}/restore_${input.manifest.id}.sh`)
  const part = quote(`${input.backups}/restore_${input.manifest.id}.sh.part`)
  return script(
    'umask 077',
    `cat >${part} <<'${end}-FILE'\n${restoreScript(input)}\n${end}-FILE`,
    `chmod 700 ${part}`,
    `mv -f ${part} ${file}`,
  )
}

/** For the scripts of earlier restore points: what this one knows of, and what was not there yet. */
function marks({ manifest, files }: RestoreScript): string[] {
  return [
    `#target ${plain(manifest.target)}`,
    ...files.files.map((file) => `#known ${escaped(file.path)}`),
    ...files.absent.map((path) => `#gone ${escaped(path)}`),
  ]
}

function values(input: RestoreScript): Record<string, string> {
  const { manifest, levels, database } = input
  return {
    RESTORE_POINT: manifest.id,
    TARGET: manifest.target,
    VERSION: manifest.version,
    TAKEN_AT: manifest.createdAt,
    STATE: input.stateDirectory,
    BACKUPS: input.backups,
    DIRECTORY: input.stack.directory,
    HELPER: `${input.stateDirectory}/${input.helper.name}`,
    APPLICATION: input.application.join(' '),
    STARTED: levels.flatMap((level) => level.services).join(' '),
    DATABASE_SERVICE: database?.service ?? '',
    DATABASE: database ? databaseKind(manifest) : 'absent',
    DATABASE_NAME: database?.name ?? '',
    KEPT_OID: String(manifest.kept?.oid ?? ''),
    ...databaseMarks(input),
    HEALTH_SECONDS: String(input.health.withinSeconds),
    HEALTH_INTERVAL: String(input.health.everySeconds),
    HEALTH_SUCCESSES: String(input.health.successes),
    DEPLOY_LOG: input.deployLog ?? '',
    INCIDENTS: input.incidents ?? '',
  }
}

/** From a dump, by the database that is kept, or left as it is. */
function databaseKind(manifest: Manifest): string {
  if (manifest.kept) return 'kept'
  return manifest.database?.file === undefined ? 'none' : 'dump'
}

function texts(input: RestoreScript): Record<string, string> {
  const { manifest, stack, database, levels } = input
  const own = manifest.images.filter((image) => image.service !== database?.service)
  return {
    helper: input.helper.text.trimEnd(),
    look: lookText(input),
    safety: safetyText(input),
    plan: planText(input),
    stop: script(...stop(stack.project, input.application, input.graceSeconds), stopOthers(input)),
    files: filesText(input),
    // Appended by the driver where later restore points name paths that this one does not know.
    outside: [places, ''].join('\n'),
    images: script(...restore(own)),
    up: script(...up(stack, levels)),
    health: healthText(input),
    people: telling(stack.directory),
    ...databaseTexts(input),
  }
}

function filesText(input: RestoreScript): string {
  const { directory, envFile } = input.stack
  const staging = `${input.stateDirectory}/staging/script`
  return `${restoreFiles({ ...input.files, directory, backups: input.backups, staging, envFile })}cd ${quote(directory)}\n`
}

/** What a later release brought would else go on running; a service that the live files do not name is left alone. */
function stopOthers(input: RestoreScript): string {
  const { stack, levels, database } = input
  const ours = [...input.application, ...levels.flatMap((level) => level.services), database?.service ?? '']
  const containers = serviceContainers(stack.project, '@', 'running').replace('service=@', 'service="$service"')
  return [
    `for service in $(${compose(stack, 'config', '--services')} 2>/dev/null || true); do`,
    `  case ${quote(` ${ours.join(' ')} `)} in *" $service "*) continue ;; esac`,
    `  ids=$(${containers})`,
    `  [ -z "$ids" ] || ${command('docker', 'stop', '--time', String(input.graceSeconds))} $ids`,
    'done',
  ].join('\n')
}

const end = 'STEPBACK-RESTORE'

function heredoc(name: string, text: string): string {
  if (text.split('\n').some((line) => line.startsWith(end))) throw new TypeError('a text holds the mark of its own end')
  return `text_${name}() {\n  cat <<'${end}'\n${text.trimEnd()}\n${end}\n}`
}

/** A path for `printf %b`: one line, whatever is in it. */
function escaped(path: string): string {
  return [...Buffer.from(path, 'utf8')]
    .map((byte) => {
      const letter = String.fromCharCode(byte)
      return /[A-Za-z0-9_./+@=,-]/.test(letter) ? letter : `\\0${byte.toString(8).padStart(3, '0')}`
    })
    .join('')
}

/** In a comment: nothing in it may end the line. */
function plain(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_.+-]/g, '?')
}
