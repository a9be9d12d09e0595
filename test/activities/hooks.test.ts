import { expect, test } from 'vitest'
import { runHook } from '../../src/activities/hooks.js'
import type { ActContext, JobOptions } from '../../src/activities/context.js'

test('a hook whose job is gone without an end is of unknown outcome: it is neither done nor run again', async () => {
  let asked: JobOptions | undefined
  const context = {
    target: { name: 'shop', directory: '/srv/shop' },
    job: async (_name: string, _script: string, options: JobOptions) => void (asked = options),
  } as unknown as ActContext
  await runHook.run(context, { name: 'notify', command: ['notify'], timeout: '5m', version: '2.1.0' })
  await expect(asked!.holds!()).rejects.toMatchObject({
    type: 'OutcomeUnknown',
    message: expect.stringContaining('hook "notify" was cut off'),
  })
})
