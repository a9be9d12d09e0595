import { z } from 'zod'
import { configSchema } from './schema.js'

/** What an editor needs to complete, explain and check stepback.yaml, as JSON Schema. */
export function configJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' })
  return { $schema, title: 'stepback.yaml', ...schema }
}
