// docs/config.md, made from the schema, so that it cannot say anything else.

import { configJsonSchema } from './json-schema.js'

interface Node {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Node[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly items?: Node
  readonly additionalProperties?: Node | boolean
}

/** Every key with its kind, its default and what it is for, as Markdown. */
export function configReference(): string {
  const schema = configJsonSchema() as Node
  return [
    '# stepback.yaml',
    '',
    'Made from the schema in `src/config/schema.ts`. Unknown keys are errors, and all errors are reported at once. Local',
    'paths are relative to the file; values of secrets are never in it: `{ env: NAME }` reads the environment of the',
    'worker, `{ envFile: KEY }` the environment file of the target.',
    '',
    'Editors complete, explain and check it by `docs/stepback.schema.json`: where the package is installed, with this as the',
    'first line, which `stepback init` writes.',
    '',
    '    # yaml-language-server: $schema=node_modules/stepback/docs/stepback.schema.json',
    '',
    '| key | kind | default | meaning |',
    '| --- | --- | --- | --- |',
    ...rows(schema, ''),
    '',
  ].join('\n')
}

function rows(node: Node, path: string): string[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([key, inner]) => {
    const name = path === '' ? key : `${path}.${key}`
    return [row(name, inner, node.required?.includes(key) ?? false), ...rows(inner, name)]
  })
  const named = typeof node.additionalProperties === 'object' ? rows(node.additionalProperties, `${path}.<name>`) : []
  const listed = node.items?.properties ? rows(node.items, `${path}[]`) : []
  return [...own, ...named, ...listed]
}

function row(name: string, node: Node, required: boolean): string {
  const standard = node.default === undefined ? (required ? '**required**' : '') : `\`${JSON.stringify(node.default)}\``
  const shown =
    node.default !== null && typeof node.default === 'object' && Object.keys(node.default).length === 0 ? '' : standard
  return `| \`${name}\` | ${kind(node)} | ${shown} | ${node.description ?? ''} |`
}

function kind(node: Node): string {
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (node.anyOf)
    return [
      ...new Set(node.anyOf.map((it) => (it.properties ? `{ ${Object.keys(it.properties).join(', ')} }` : kind(it)))),
    ].join(' or ')
  if (node.type === 'array') return `list of ${node.items ? kind(node.items) : 'anything'}`
  return node.type ?? 'object'
}
