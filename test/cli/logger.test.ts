import { expect, test } from 'vitest'
import { createLogger, forTemporal } from '../../src/adapters/logger.js'
import { Secret } from '../../src/config/secret.js'

function logged(act: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = []
  act(createLogger({ to: { write: (line: string) => void lines.push(line) } }))
  return lines.join('')
}

test('levels of the SDK come in capitals, its message first', () => {
  const line = logged((logger) => forTemporal(logger).log('WARN', 'slow', { workflowId: 'w' }))
  expect(JSON.parse(line)).toMatchObject({ level: 'warn', workflowId: 'w', msg: 'slow' })
})

test.each([
  ['a key that is one', { login: { password: 'hunter2' } }],
  ['a secret value', { value: new Secret('hunter2') }],
  ['an address in a message', { error: new Error('connect postgres://aria:hunter2@db:5432/x') }],
  ['a variable in a message', { why: 'PGPASSWORD=hunter2 pg_dump' }],
])('no secret is logged: %s', (_what, meta) => {
  const line = logged((logger) => logger.info(meta, 'said'))
  expect(line).not.toContain('hunter2')
  expect(JSON.parse(line)).toMatchObject({ msg: 'said' })
})
