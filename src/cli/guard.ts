import { Argument } from 'commander'
import type { GuardPolicy, GuardView, Health, StepbackClient } from '../client.js'
import { guardLines } from '../plan/describe-guard.js'
import { StepbackError } from '../plan/failure.js'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { requireConfig, withSession } from './configuration.js'
import { findTarget } from '../config/load.js'
import { exitCodes } from './exit-code.js'
import { choice } from './options.js'
import { visibleLines } from './view/visible.js'

interface Options {
  readonly policy?: GuardPolicy
  readonly status?: Health['status']
  readonly source?: string
  readonly detail?: string
}

type Does = (client: StepbackClient, target: string, options: Options) => Promise<Done>

interface Done {
  readonly text: string
  readonly guard?: GuardView
}

export function addGuard({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'guard <target>',
    does: 'shows, starts or stops what watches a target for ever, or tells it how the target is',
    example:
      'stepback guard aria start --policy ask\nstepback guard aria report --status degraded --source heartbeat --detail "3 late answers"',
  })
  command
    .addArgument(new Argument('[action]', 'what to do').choices(Object.keys(actions)).default('show'))
    .addOption(choice('--policy <policy>', 'for start, in place of the configured one', ['observe', 'ask', 'act']))
    .addOption(choice('--status <status>', 'for report: how it is', ['ok', 'degraded', 'down']))
    .option('--source <name>', 'for report: who says so (default: report)')
    .option('--detail <text>', 'for report: why')
    .action(async (target: string, action: keyof typeof actions, options: Options) => {
      const { json = false, ...globals } = globalsOf(command)
      const { name } = findTarget(requireConfig(globals, io).config, target)
      const done: Done = await withSession({ ...globals, json }, io, ({ client }) =>
        actions[action](client, name, options),
      )
      if (json) io.print(JSON.stringify(done.guard ?? { target: name, text: done.text }))
      else if (done.guard) io.print(visibleLines(done.text))
      else io.say(visibleLines(done.text))
      exit(exitCodes.done)
    })
}

const actions = {
  show: async (client, target) => {
    const guard = await client.guard(target)
    return { guard, text: guardLines(guard).join('\n') }
  },
  start: async (client, target, { policy }) => {
    const how = await client.startGuard({ target, ...(policy ? { policy } : {}) })
    const text = how === 'started' ? `the guard of ${target} watches` : `the guard of ${target} watches already`
    return { text: how === 'watches' && policy ? `${text}; stop it first to change its policy` : text }
  },
  stop: async (client, target) => {
    await client.stopGuard(target)
    return { text: `the guard of ${target} stops` }
  },
  report: async (client, target, { status, source, detail }) => {
    if (!status) throw missingStatus(target)
    const said = { ...(source ? { source } : {}), ...(detail ? { detail } : {}) }
    await client.reportHealth(target, { status, ...said, at: new Date().toISOString() })
    return { text: `told the guard of ${target}: ${status}` }
  },
} satisfies Record<string, Does>

function missingStatus(target: string): StepbackError {
  return new StepbackError({
    type: 'InvalidRequest',
    message: 'report needs --status: ok, degraded or down',
    hint: `stepback guard ${target} report --status ok`,
  })
}
