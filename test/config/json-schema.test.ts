import { expect, test } from 'vitest'
import { z } from 'zod'
import { configJsonSchema } from '../../src/config/json-schema.js'

const schema = z.fromJSONSchema(configJsonSchema() as never)
const config = (changes: object = {}) => ({
  temporal: { profile: 'cloud' },
  targets: {
    shop: {
      ssh: { host: 'shop.example' },
      directory: '/srv/shop',
      backups: '/srv/shop/backups',
      compose: { project: 'shop', files: ['compose.yml'] },
      services: { application: ['api'] },
      database: { service: 'db', name: 'shop', user: { envFile: 'DB_USER' }, password: { env: 'DB_PASSWORD' } },
      ...changes,
    },
  },
})

test('an editor takes what the program takes, defaults left out', () => {
  expect(schema.safeParse(config()).error).toBeUndefined()
})

test.each<[string, object]>([
  ['a key that nobody knows', { directroy: '/srv' }],
  ['a path that is not absolute', { directory: 'srv/shop' }],
  ['a word that is none of its choice', { approval: { rollback: 'sometimes' } }],
  ['a duration without a unit', { operatorDeadline: '30' }],
  ['a password in the open', { database: { service: 'db', name: 'shop', user: 'shop', password: 'hunter2' } }],
])('an editor marks %s', (_what, changes) => {
  expect(schema.safeParse(config(changes)).success).toBe(false)
})
