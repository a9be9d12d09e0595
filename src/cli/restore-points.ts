import { Argument } from 'commander'
import type { BackupInput } from '../client.js'
import { parseBackupRequest } from '../config/request.js'
import type { Manifest } from '../plan/manifest.js'
import { doubtsOf } from '../plan/retention.js'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { requireConfig, withSession } from './configuration.js'
import { exitCodes } from './exit-code.js'
import { followRun } from './follow-run.js'
import { person } from './person.js'
import { columns } from './view/columns.js'
import { visible } from './view/visible.js'
import { withDeps } from './with-deps.js'

const whats = { take: 'restore-point', prove: 'prove', pin: 'pin', unpin: 'unpin', prune: 'prune' } as const
const actions = ['list', ...Object.keys(whats)]

interface Options {
  readonly prove: boolean
  readonly reason?: string
  readonly requestedBy?: string
  readonly dryRun?: boolean
  readonly wait: boolean
}

export function addRestorePoints(cli: Cli): void {
  const { program, io, exit } = cli
  const command = addCommand(program, {
    name: 'restore-points <target>',
    does: 'lists what can be gone back to; takes, proves, pins or prunes it',
    example: 'stepback restore-points aria\nstepback restore-points aria pin 20261123T140211Z-2.0.0 --reason "audit"',
  })
  command
    .addArgument(new Argument('[action]', 'what to do').choices(actions).default('list'))
    .argument('[id]', 'of a restore point, for prove, pin and unpin')
    .option('--no-prove', 'take it without the proof that it can be restored')
    .option('--reason <text>', 'why')
    .option('--requested-by <name>', 'who asks for it (default: you)')
    .option('--dry-run', 'print the plan and change nothing')
    .option('--no-wait', 'leave with exit status 6 when it waits for an answer; the run goes on')
    .action(async (target: string, action: keyof typeof whats | 'list', id: string | undefined, options: Options) => {
      if (action === 'list') return exit(await listPoints(cli, target, globalsOf(command)))
      const { wait, prove, reason, requestedBy, dryRun } = options
      const input = backupInput({
        target,
        what: whats[action],
        ...(id === undefined ? {} : { id }),
        ...(prove ? {} : { prove }),
        ...(reason === undefined ? {} : { reason }),
        ...(requestedBy === undefined ? {} : { requestedBy }),
        ...(dryRun === undefined ? {} : { dryRun }),
      })
      const { json = false, ...globals } = globalsOf(command)
      exit(
        await withSession({ ...globals, json }, io, async (session) => {
          const run = await session.client.startBackup(input)
          return await followRun({ io, session, run, wait, json, dryRun: input.dryRun === true })
        }),
      )
    })
}

/** The request as it was asked for; `InvalidRequest` before anything is started. */
function backupInput(asked: BackupInput): BackupInput {
  const input = { ...asked, requestedBy: asked.requestedBy ?? person() }
  parseBackupRequest(input)
  return input
}

async function listPoints({ io }: Cli, target: string, globals: ReturnType<typeof globalsOf>): Promise<number> {
  const { config } = requireConfig(globals, io)
  await withDeps(config, target, async (deps) => {
    const { Look } = await import('../activities/observe/look.js')
    const { readShelfNow } = await import('../activities/observe/shelf-now.js')
    const { manifests: points, unreadable } = await readShelfNow(await Look.at(deps, target))
    if (globals.json) return io.print(JSON.stringify(points.map(shown)))
    const rows = points
      .map(shown)
      .map((it) => [
        visible(it.id),
        it.state,
        visible(it.migrationHead ?? 'no database'),
        `${it.bytes} bytes`,
        it.pins.length > 0 ? `pinned by ${visible(it.pins.map(({ by }) => by).join(', '))}` : '',
        visible(it.doubt ?? ''),
      ])
      .concat(unreadable.map(({ id, why }) => [visible(id), 'unreadable', visible(why), '', '', '']))
    for (const line of rows.length > 0 ? columns(rows) : ['no restore points']) io.print(line)
  })
  return exitCodes.done
}

/** What a person needs of a manifest to choose. */
function shown(manifest: Manifest) {
  const { id, version, createdAt, state, pins, migrationHead, files } = manifest
  const bytes = files.filter((it) => it.path === undefined).reduce((sum, it) => sum + it.bytes, 0)
  const doubt = doubtsOf(manifest).join('; ')
  return { id, version, createdAt, state, migrationHead, bytes, pins, ...(doubt === '' ? {} : { doubt }) }
}
