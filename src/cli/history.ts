import { type Verified, verify } from '../plan/anchors.js'
import { pastRuns } from '../plan/past-run.js'
import type { Config } from '../config/schema.js'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { requireConfig } from './configuration.js'
import { exitCodes } from './exit-code.js'
import { fromHistory } from './history/from-history.js'
import { renderPast, renderVerified } from './history/render.js'
import type { Io } from './io.js'
import { wholeNumber } from './options.js'
import { readRecord, withHistories } from './past.js'

export function addHistory({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'history <target>',
    does: 'shows what was done, by whom and why, newest first; --verify looks whether the record is what was written',
    example: 'stepback history aria --limit 5\nstepback history aria --verify',
  })
  command
    .option('--limit <runs>', 'so many runs', wholeNumber, 20)
    .option('--verify', 'compare the record with what Temporal and exported histories remember of it')
    .action(async (target: string, options: { readonly limit: number; readonly verify?: true }) => {
      const globals = globalsOf(command)
      const { config } = requireConfig(globals, io)
      if (options.verify) {
        const verified = await verifyRecord(config, io, target)
        if (globals.json) io.print(JSON.stringify(verified))
        else for (const line of renderVerified(verified)) io.print(line)
        return exit(verified.findings.length > 0 ? exitCodes.unexpected : exitCodes.done)
      }
      const runs = (await readPast(config, io, target)).slice(0, options.limit)
      if (globals.json) io.print(JSON.stringify(runs))
      else for (const line of runs.flatMap((it) => renderPast(it, io.colours))) io.print(line)
      exit(exitCodes.done)
    })
}

async function verifyRecord(config: Config, io: Io, target: string): Promise<Verified> {
  const { records, damage } = await readRecord(config, target)
  const { histories, unreadable } = await withHistories(config, io, (it) => it.of(target))
  for (const it of unreadable) io.say(`not compared, since its history cannot be read: ${it}`)
  return verify({ records, damage, anchors: histories.flatMap((it) => it.anchors) })
}

/** The record of the host, and runs that it has nothing of: under way, terminated, or while it could not be reached. */
async function readPast(config: Config, io: Io, target: string) {
  const { records, damage } = await readRecord(config, target)
  if (damage.length > 0) io.say(`the record is damaged: stepback history ${target} --verify`)
  const recorded = pastRuns(records)
  const ended = new Set(recorded.flatMap((it) => (it.ended ? [it.runId] : [])))
  const { histories } = await withHistories(config, io, (it) => it.of(target, ended))
  const others = histories.filter((it) => it.type !== 'guardWorkflow').map(fromHistory)
  const known = new Set(others.map((it) => it.runId))
  const past = [...recorded.filter((it) => !known.has(it.runId)), ...others]
  return past.toSorted((one, other) => (one.at < other.at ? 1 : -1))
}
