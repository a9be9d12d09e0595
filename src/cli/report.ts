import { writeFile } from 'node:fs/promises'
import type { Config } from '../config/schema.js'
import { StepbackError } from '../plan/failure.js'
import { pastRuns } from '../plan/past-run.js'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { requireConfig } from './configuration.js'
import { exitCodes } from './exit-code.js'
import type { Io } from './io.js'
import { readRecord, withHistories } from './past.js'
import { renderHtml } from './report/html.js'
import { renderMarkdown } from './report/markdown.js'
import { type Report, reportOfHistory, reportOfRecord } from './report/report.js'
import { visible } from './view/visible.js'

export function addReport({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'report <run>',
    does: 'tells a run as Markdown, or as one HTML file that needs no network: plan, timeline, gates, health',
    example: 'stepback report rollback-aria-20261123T141530Z --html report.html',
  })
  command
    .option('--html <file>', 'write an HTML file instead')
    .action(async (run: string, { html }: { readonly html?: string }) => {
      const globals = globalsOf(command)
      const { config } = requireConfig(globals, io)
      const report = await find(config, io, run)
      if (html !== undefined) {
        await writeFile(html, renderHtml(report))
        io.say(`written: ${html}`)
      } else io.print(globals.json ? JSON.stringify(report) : renderMarkdown(report).trimEnd())
      exit(exitCodes.done)
    })
}

/** Its history says most; where Temporal has forgotten it and nobody kept it, the record of some target has it. */
async function find(config: Config, io: Io, run: string): Promise<Report> {
  const history = await withHistories(config, io, (it) => it.newest(run))
  if (history) return reportOfHistory(history)
  for (const target of Object.keys(config.targets)) {
    const record = await readRecord(config, target).catch((error: Error) => {
      io.say(`not looked for in the record of ${target}: ${visible(error.message.split('\n')[0]!)}`)
      return { records: [] }
    })
    const past = pastRuns(record.records).find((it) => it.run === run)
    if (past) return reportOfRecord(target, past)
  }
  throw new StepbackError({
    type: 'InvalidRequest',
    message: `there is no run "${run}", neither in Temporal nor in an audit record`,
    hint: 'list what was done: stepback history <target>.',
  })
}
