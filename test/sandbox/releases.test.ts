import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sandboxPaths } from '../../sandbox/paths.js'
import { releases, writeReleases } from '../../sandbox/releases.js'

const paths = sandboxPaths(mkdtempSync(join(tmpdir(), 'stepback-')))
const read = (version: string, path: string) => readFileSync(join(paths.releases, version, path), 'utf8')

beforeAll(() => writeReleases(paths))
afterAll(() => rmSync(paths.root, { recursive: true, force: true }))

test.each(releases)('release $version says its version and revision', ({ version, revision }) => {
  expect(read(version, 'VERSION')).toBe(`${version}\n`)
  expect(JSON.parse(read(version, 'release.json'))).toEqual({ version, migrateTo: revision })
})

test('2.1.0 changes a managed file, changes the compose file and brings a new file', () => {
  expect(read('2.1.0', 'models.yaml')).not.toBe(read('2.0.0', 'models.yaml'))
  expect(read('2.1.0', 'stacks/brain/docker-compose.yml')).not.toBe(read('2.0.0', 'stacks/brain/docker-compose.yml'))
  expect(() => read('2.0.0', 'aria_skills/catalogue.md')).toThrow('ENOENT')
  expect(read('2.1.0', 'aria_skills/catalogue.md')).toContain('heartbeat')
})

test('only the broken release begins to fail', () => {
  const failing = releases.filter(({ version }) => !read(version, 'aria_skills/release.py').includes('None'))
  expect(failing.map(({ version }) => version)).toEqual(['2.2.0-broken'])
})
