import { type Cli, addCommand, globalsOf } from './cli.js'
import { requireConfig } from './configuration.js'
import { examine } from './doctor/findings.js'
import { hostKeyAnswer } from './doctor/host-key.js'
import { renderFindings } from './doctor/render.js'
import { exitCodes } from './exit-code.js'
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
    const { config, path } = requireConfig(globals, io)
    const accept = hostKeyAnswer({ io, accepted: acceptHostKey, asks: !globals.json })
    const groups = await withDeps(config, target, (deps, targets, introduce) =>
      examine({ config, path, targets, deps, meet: (it) => introduce(it, accept) }),
    )
    const ok = groups.every(({ findings }) => findings.every((finding) => finding.ok))
    if (globals.json) io.print(JSON.stringify({ ok, checks: groups }))
    else for (const line of renderFindings(groups, io.colours)) io.print(line)
    exit(ok ? exitCodes.done : exitCodes.refused)
  })
}
