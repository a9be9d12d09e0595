import { z } from 'zod'
import { parseCron } from '../../plan/cron.js'
import { wait } from './values.js'

const time = z.string().superRefine((it, context) => {
  if (it === 'off') return
  try {
    parseCron(it)
  } catch (error) {
    context.addIssue({ code: 'custom', message: `${(error as Error).message.split('\n')[0]}; or "off"` })
  }
})

const timeZone = z.string().refine(isTimeZone, 'should be a time zone like "Europe/Berlin"')

export const schedules = z
  .strictObject({
    restorePoint: time.default('off').describe('a restore point, with its proof'),
    memories: time.default('15 3 * * *').describe('an archive of `memories`, where there are any'),
    drill: time.default('30 4 * * 0').describe('the newest restore point is proven again'),
    prune: time.default('45 3 * * *').describe('what retention does not keep goes'),
    timeZone: timeZone.default('UTC').describe('in which the times are meant, as `Europe/Berlin`'),
    overlap: z
      .enum(['wait', 'skip'])
      .default('wait')
      .describe('one that is due while the one before still runs: runs behind it, or not at all'),
    catchUp: wait.default('24h').describe('what was missed while Temporal was away is done within so long'),
  })
  .prefault({})
  .describe('what `stepback schedules apply` brings to Temporal')

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
