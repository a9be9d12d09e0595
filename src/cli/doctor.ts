import type { Config } from '../config/schema.js'
import type { Finding } from '../plan/facts.js'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { type Globals, requireConfig } from './configuration.js'
import { findingOf } from './doctor/finding.js'
import { examineGround, examineTargets } from './doctor/findings.js'
import { hostKeyAnswer } from './doctor/host-key.js'
import { renderFindings } from './doctor/render.js'
import { exitCodes } from './exit-code.js'
import type { Io } from './io.js'
import { list } from './options.js'
import { withDeps } from './with-deps.js'

export function addDoctor({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'doctor [target]',
    does: 'checks everything a run would need, changes nothing, says how to mend; exit status 3 where something is bad',
    example: 'stepback doctor aria',
  })
  command.option(
    '--accept-host-key <fingerprint>',
    'make a host key known that nobody knows yet, if it is exactly this one: SHA256:…; more than one for jump hosts',
    list,
  )
  command.action(async (target?: string) => {
    const globals = globalsOf(command)
    const { acceptHostKey } = command.opts<{ readonly acceptHostKey?: readonly string[] }>()
    const accept = hostKeyAnswer({ io, accepted: acceptHostKey, asks: !globals.json })
    const { config, finding } = readConfiguration(globals, io)
    const [ground, stacks] = await Promise.all([
      examineGround(finding, config?.temporal),
      config
        ? withDeps(config, target, (deps, targets, introduce) =>
            examineTargets({ targets, deps, meet: (it) => introduce(it, accept) }),
          )
        : [],
    ])
    const groups = [ground, ...stacks]
    const ok = groups.every(({ findings }) => findings.every((it) => it.ok))
    if (globals.json) io.print(JSON.stringify({ ok, checks: groups }))
    else for (const line of renderFindings(groups, io.colours)) io.print(line)
    exit(ok ? exitCodes.done : finding.ok ? exitCodes.refused : exitCodes.usage)
  })
}

/** A configuration that cannot be used hides its targets, and nothing else. */
function readConfiguration(globals: Globals, io: Io): { readonly config: Config | null; readonly finding: Finding } {
  try {
    const { config, path } = requireConfig(globals, io)
    return { config, finding: { check: 'configuration', ok: true, detail: path } }
  } catch (error) {
    return { config: null, finding: findingOf('configuration', error) }
  }
}
