import { resolve } from 'node:path'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { requireConfig } from './configuration.js'
import { exitCodes } from './exit-code.js'
import { renderRevisions } from './migrations/render.js'
import { withDeps } from './with-deps.js'

export function addMigrations({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'migrations <target>',
    does: 'lists the migrations, applied or not, reversible or not; --baseline takes over a database that another tool migrated',
    example: 'stepback migrations aria\nstepback migrations aria --baseline a006_pheromone_scores',
  })
  command.option(
    '--baseline [revision]',
    'record the migrations up to it as applied, if the schema is what they produce (default: what alembic_version says)',
  )
  command.option('--release <directory>', 'of a release that has them, where migrations come with releases')
  command.action(async (target: string, options: { readonly baseline?: string | true; readonly release?: string }) => {
    const globals = globalsOf(command)
    const { config } = requireConfig(globals, io)
    const asked = options.baseline === true ? null : options.baseline
    const release = options.release === undefined ? undefined : resolve(options.release)
    await withDeps(config, target, async (deps) => {
      if (asked !== undefined) {
        const { adoptDatabase } = await import('../activities/adoption.js')
        const baseline = await interruptible((signal) => adoptDatabase(deps, { target, asked, release, signal }))
        const recorded = `${baseline.migrations.length} migrations up to ${baseline.revision}`
        io.say(baseline.already ? `recorded already: ${recorded}` : `recorded as applied: ${recorded}`)
      }
      const { Look } = await import('../activities/observe/look.js')
      const { observeRevisions } = await import('../activities/observe/revisions.js')
      const {
        known: _known,
        applied: _applied,
        ...shown
      } = await observeRevisions(await Look.at(deps, target), release)
      if (globals.json) io.print(JSON.stringify(shown))
      else for (const line of renderRevisions(target, shown, io.colours)) io.print(line)
    })
    exit(exitCodes.done)
  })
}

/** An interrupt ends it before its next change, so that it can put away what it made. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const stop = () => controller.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    return await work(controller.signal)
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
