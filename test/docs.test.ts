import { existsSync, readFileSync, readdirSync } from 'node:fs'
import type { Command } from 'commander'
import { format, resolveConfig } from 'prettier'
import { describe, expect, test } from 'vitest'
import { commandsOf, formOf, operatorPages, quickReference, readPage, runbook, wordsOf } from '../bench/pages.js'
import { buildProgram } from '../src/cli/program.js'
import { configJsonSchema } from '../src/config/json-schema.js'
import { loadConfig } from '../src/config/load.js'
import { configReference } from '../src/config/reference.js'
import {
  parseBackupRequest,
  parseDeployRequest,
  parseEmergencyRequest,
  parseRollbackRequest,
} from '../src/config/request.js'
import { configSchema } from '../src/config/schema.js'
import { readYaml } from '../src/config/yaml.js'
import { failures } from '../src/plan/failure.js'
import { malformed } from '../src/plan/gate.js'
import { malformedHealth } from '../src/plan/reports.js'
import { silentIo } from './cli/support.js'
import { notTyped, typed } from './end-to-end/typed.js'

/** The command and all that are below it. */
const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)]

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

const pages = readdirSync(new URL('../docs', import.meta.url)).flatMap((name) =>
  name.endsWith('.md') ? [`docs/${name}`] : [],
)

/** What operators type from. */
const operating = ['docs/ROLLBACK.md', 'docs/DEPLOYMENT.md', 'docs/schedules.md']

describe('the documents', () => {
  test('describe every key of the configuration as its schema has it', async () => {
    const options = await resolveConfig(new URL('../docs/config.md', import.meta.url).pathname)
    expect(read('docs/config.md')).toBe(await format(configReference(), { ...options, parser: 'markdown' }))
  })

  test('hold the schema of the configuration for editors as it is', async () => {
    const options = await resolveConfig(new URL('../docs/stepback.schema.json', import.meta.url).pathname)
    const expected = await format(JSON.stringify(configJsonSchema()), { ...options, parser: 'json' })
    expect(read('docs/stepback.schema.json')).toBe(expected)
  })

  test('have an entry with the right exit code for every failure type, and for no other', () => {
    const rows = [...read('docs/errors.md').matchAll(/^\| `(\w+)` +\| +(\d+) \|/gm)].map(([, type, code]) => [
      type,
      Number(code),
    ])
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(Object.entries(failures).map(([type, { exitCode }]) => [type, exitCode])),
    )
  })

  test('show only commands that the command line takes as they are typed', async () => {
    const typed = [...operating, 'README.md', 'examples/README.md'].flatMap((document) =>
      [...read(document).matchAll(/^ {4}(?:npx )?stepback ([^#\n]+)/gm)].map(([, words]) => wordsOf(words!)),
    )
    expect(typed.length).toBeGreaterThan(30)
    for (const words of typed) {
      const program = buildProgram(silentIo(), () => undefined)
      everyCommand(program).forEach((command) => command.exitOverride().action(() => undefined))
      await expect(program.parseAsync(words, { from: 'user' }), words.join(' ')).resolves.toBeDefined()
    }
  })

  test('show operators no command that no end-to-end test types, but for those with a reason', () => {
    const shown = operatorPages.flatMap((page) => commandsOf(readPage(page)).map(formOf))
    const known = [...Object.values(typed).flat(), ...Object.keys(notTyped)]
    expect(known.toSorted()).toEqual([...new Set(shown)].toSorted())
  })

  test('show only requests that a workflow takes', () => {
    const parsers = {
      deploy: parseDeployRequest,
      rollback: parseRollbackRequest,
      backup: parseBackupRequest,
      emergency: parseEmergencyRequest,
    }
    const shown = operating.flatMap((document) => [
      ...read(document).matchAll(/(deploy|rollback|backup|emergency)Workflow[^']+--input '([^']+)'/g),
    ])
    expect(shown.length).toBeGreaterThan(5)
    for (const [, kind, json] of shown) parsers[kind as keyof typeof parsers](JSON.parse(json!))
  })

  test('show only answers to a gate that a run takes', () => {
    const shown = [...operating, 'docs/approvals.md'].flatMap((document) => [
      ...read(document).matchAll(/--name (approve|reject|resolve) [^']*--input '([^']+)'/g),
    ])
    expect(shown.length).toBeGreaterThan(5)
    for (const [, kind, json] of shown) expect(malformed(kind as 'approve', JSON.parse(json!))).toBeUndefined()
  })

  test('say how long it takes what was measured', () => {
    const times = JSON.parse(read('bench/runbook.json')) as Record<string, { readonly seconds: number }>
    const rows = quickReference(readPage(runbook))
    expect(rows.length).toBeGreaterThan(10)
    const measured = rows.map(({ command }) => {
      const { seconds } = times[formOf(command)] ?? {}
      return {
        command,
        takes: seconds === undefined ? '' : `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`,
      }
    })
    expect(rows).toEqual(measured)
  })

  test('name only keys that the configuration has', () => {
    const all = [...read('docs/config.md').matchAll(/^\| `([^`]+)`/gm)].map(([, key]) => key!)
    const keys = all.map((key) => key.replace('targets.<name>.', ''))
    const known = new RegExp(
      `^(?:${[...keys, ...all].join('|').replaceAll('.', '\\.').replaceAll('<name>', '[^.]+')})$`,
    )
    const dotted = /`([a-z]\w*(?:\.(?!json|toml|ya?ml|md)[a-z]\w*)+)`/gi
    for (const page of pages) {
      const spans = [...read(page).matchAll(dotted)].map(([, span]) => span!)
      const named = spans.filter((it) => keys.includes(it.split('.')[0]!))
      expect([page, named.filter((it) => !known.test(it))]).toEqual([page, []])
    }
  })

  test('show only health reports that a guard takes', () => {
    const typed = [...read('docs/guard.md').matchAll(/--name health --input '([^']+)'/g)].map(([, json]) => json!)
    const python = /"health", (\{[^}]+\})/.exec(read('docs/heartbeat.py'))![1]!
    const sent = python.replace(/: status\b/, ': "ok"').replace(/: now\b/, ': "2026-11-23T14:02:11.500000+00:00"')
    expect([...typed, sent].map((json) => malformedHealth(JSON.parse(json)))).toEqual([undefined, undefined])
  })

  test.each(['docs/approvals.md', 'docs/metrics.md', 'docs/notifications.md'])(
    '%s shows what the configuration takes',
    (document) => {
      const [, yaml = ''] = /```yaml\n([^`]+)```/.exec(read(document))!
      const shown = readYaml(yaml) as { readonly value: { readonly targets?: { readonly aria: object } } }
      const aria = {
        ssh: { host: 'h' },
        directory: '/srv',
        backups: '/backups',
        compose: { project: 'aria', files: ['a.yml'] },
        services: { application: ['api'] },
        ...shown.value.targets?.aria,
      }
      expect(configSchema.safeParse({ ...shown.value, targets: { aria } }).error).toBeUndefined()
    },
  )

  test.each(['aria', 'web-app', 'own-migrations'])('have a valid example: %s', (example) => {
    const file = new URL(`../examples/${example}/stepback.yaml`, import.meta.url).pathname
    expect(Object.keys(loadConfig(file).targets)).toHaveLength(1)
  })

  test('name only files that are there', () => {
    const documents = ['README.md', 'CONTRIBUTING.md', 'examples/README.md', ...pages]
    for (const document of documents) {
      const links = [...read(document).matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path!)
      for (const link of links)
        expect(existsSync(new URL(link, new URL(`../${document}`, import.meta.url))), `${document}: ${link}`).toBe(true)
    }
  })
})
