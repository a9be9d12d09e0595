// What CREATE DATABASE and a dump forget: owner, limit, grants, settings, comment. Without them the copy is another.

import type { DatabaseProperties } from '../../plan/manifest.js'
import { identifier, literal } from './sql.js'

/** Makes an empty database that nobody but its owner and superusers may enter. */
export function createDatabaseSql(input: { readonly name: string; readonly properties: DatabaseProperties }): string {
  const { properties } = input
  const name = identifier(input.name)
  const words = [
    `create database ${name} template template0 owner ${identifier(properties.owner)}`,
    `encoding ${literal(properties.encoding)} lc_collate ${literal(properties.collate)} lc_ctype ${literal(properties.ctype)}`,
    ...localeWords(properties),
  ]
  return `${words.join(' ')};\nrevoke all on database ${name} from public;`
}

/** Puts the properties on a database, to the same state however often it runs. */
export function propertiesSql(input: { readonly name: string; readonly properties: DatabaseProperties }): string {
  const { properties } = input
  const name = identifier(input.name)
  const comment = properties.comment === null ? 'null' : literal(properties.comment)
  return [
    `alter database ${name} owner to ${identifier(properties.owner)};`,
    `alter database ${name} connection limit ${integer(properties.connectionLimit)};`,
    ...grantsSql(name, properties),
    `alter database ${name} reset all;`,
    ...properties.settings.map((setting) => `alter database ${name} ${setSql(setting)};`),
    ...properties.roleSettings.flatMap(({ role, settings }) =>
      settings.map((setting) => `alter role ${identifier(role)} in database ${name} ${setSql(setting)};`),
    ),
    `comment on database ${name} is ${comment};`,
  ].join('\n')
}

function localeWords(properties: DatabaseProperties): string[] {
  const { localeProvider, locale, icuRules } = properties
  if (localeProvider === 'i') {
    const rules = icuRules === null ? [] : [`icu_rules ${literal(icuRules)}`]
    return [`locale_provider icu icu_locale ${literal(locale ?? '')}`, ...rules]
  }
  return localeProvider === 'b' ? [`locale_provider builtin builtin_locale ${literal(locale ?? 'C')}`] : []
}

function grantsSql(name: string, properties: DatabaseProperties): string[] {
  const owner = identifier(properties.owner)
  const grants = properties.acl.map(({ grantee, privilege, grantable }) => {
    const to = grantee === '' ? 'public' : identifier(grantee)
    return `grant ${privilegeWord(privilege)} on database ${name} to ${to}${grantable ? ' with grant option' : ''};`
  })
  return [`revoke all on database ${name} from public, ${owner};`, ...grants]
}

// Settings that hold a list keep its elements quoted; to quote the whole would make one element of it.
const lists = [
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
]

function setSql(setting: string): string {
  const equals = setting.indexOf('=')
  const name = setting.slice(0, equals)
  const value = setting.slice(equals + 1)
  // A setting's name may have a dot, each part an identifier.
  const words = name.split('.').map(identifier).join('.')
  return `set ${words} to ${lists.includes(name.toLowerCase()) ? elements(value) : literal(value)}`
}

function elements(value: string): string {
  const found = value.match(/"(?:[^"]|"")*"|[^,\s]+/g) ?? []
  if (found.length === 0) return `''`
  return found.map((it) => literal(it.startsWith('"') ? it.slice(1, -1).replaceAll('""', '"') : it)).join(', ')
}

function privilegeWord(privilege: string): string {
  if (/^[A-Z ]+$/.test(privilege)) return privilege
  throw new TypeError(`"${privilege}" is not a privilege`)
}

function integer(value: number): string {
  if (Number.isSafeInteger(value)) return String(value)
  throw new TypeError(`${value} is not a whole number`)
}
