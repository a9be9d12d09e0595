// Writes the histories anew; only on purpose, since what they hold is what runs under way have behind them:
// STEPBACK_RECORD_HISTORIES=1 npx vitest run test/replay/record.test.ts

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { expect, test } from 'vitest'
import { Stage } from '../support/workflow.js'
import { firstPlan, shapes } from './shapes.js'

test.each(Object.keys(shapes))('records %s', async (name) => {
  const stage = await Stage.open()
  try {
    stage.reset(firstPlan)
    const run = await shapes[name]!(stage)
    const history = await run.handle.fetchHistory()
    const file = fileURLToPath(new URL(`histories/${name}.json`, import.meta.url))
    writeFileSync(file, `${withoutMachine(historyToJSON(history))}\n`)
    expect(history.events!.length).toBeGreaterThan(5)
  } finally {
    await stage.close()
  }
})

/** Neither the names nor the paths of the machine that they were recorded on. */
function withoutMachine(json: string): string {
  const said = (key: string, value: unknown) => (key === 'identity' ? 'recorded' : key === 'stackTrace' ? '' : value)
  return JSON.stringify(JSON.parse(json, said), null, 1)
}
