import { StepbackClient } from '../client.js'
import type { Config } from '../config/schema.js'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { requireConfig } from './configuration.js'
import { exitCodes } from './exit-code.js'
import { renderSituation } from './status/render.js'
import { type Situation, situationOf } from './status/situation.js'
import { withDeps } from './with-deps.js'

export function addStatus({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'status [target]',
    does: 'shows release, health, guard, lease, restore points, debts and what waits for an answer',
    example: 'stepback status aria --json',
  })
  command.action(async (target?: string) => {
    const globals = globalsOf(command)
    const { config } = requireConfig(globals, io)
    const situations = await readAll(config, target)
    if (globals.json) io.print(JSON.stringify(situations))
    else for (const line of situations.flatMap((it) => renderSituation(it, io.colours))) io.print(line)
    exit(situations.some((it) => it.unknown.length > 0) ? exitCodes.unexpected : exitCodes.done)
  })
}

/** The host keeps the truth, so a server that is away hides only what waits there. */
async function readAll(config: Config, target: string | undefined): Promise<Situation[]> {
  const client = await StepbackClient.connect(config.temporal).catch(() => null)
  try {
    const openRuns = (await client?.openRuns().catch(() => null)) ?? null
    return await withDeps(config, target, (deps, targets) =>
      Promise.all(targets.map((name) => situationOf({ deps, target: name, client, openRuns }))),
    )
  } finally {
    await client?.close()
  }
}
