// docker-compose.temporal.yml and the worker's image, as far as reading them tells; `docker compose config` reads them, too.

import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { expect, test } from 'vitest'
import { searchAttributes } from '../src/worker/search-attributes.js'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

interface Service {
  readonly image: string
  readonly ports?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly [key: string]: unknown
}

const { services } = parse(read('docker-compose.temporal.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>
}
const all = Object.values(services)
const dockerfile = read('docker/Dockerfile')

test('every image is pinned to a version, server and tools to the same one, and the deprecated one is not used', () => {
  const images = all.map((it) => it.image)
  expect(images.filter((image) => !/^[\w./-]+:\d+\.\d+(\.\d+)?(-\w+)?$/.test(image))).toEqual([])
  expect(/^ARG NODE_IMAGE=node:\d+\.\d+\.\d+-/m.test(dockerfile)).toBe(true)
  expect(images).not.toContainEqual(expect.stringContaining('auto-setup'))
  expect(services['temporal-schema']!.image.split(':')[1]).toBe(services['temporal']!.image.split(':')[1])
})

test('ports are on loopback, and no password stands in an environment', () => {
  expect(all.flatMap((it) => it.ports ?? []).filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
  const values = all.flatMap((it) => Object.entries(it.environment ?? {}))
  expect(values.filter(([key]) => /PASSWORD$|PWD$/.test(key))).toEqual([])
})

test('the worker is not root, cannot write to its file system, has no capability, and is of this version', () => {
  const worker = services['stepback-worker']!
  expect(worker).toMatchObject({
    read_only: true,
    cap_drop: ['ALL'],
    user: expect.stringMatching(/^\$\{STEPBACK_UID:-1000\}/),
  })
  expect(worker.image).toBe(`stepback-worker:${JSON.parse(read('package.json')).version}`)
  expect(dockerfile).toContain('USER 1000:1000')
})

test('the namespace gets 30 days and every search attribute that runs are found by', () => {
  const command = String(services['temporal-namespace']!['command'])
  expect(command).toContain('--retention 30d')
  for (const name of searchAttributes) expect(command).toContain(name)
})
