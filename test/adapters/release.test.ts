import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readRelease } from '../../src/adapters/release.js'

let directory: string
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'stepback-release-'))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const read = (limits = { fileBytes: 100, files: 4 }) => readRelease({ directory, limits })

test('files, links and empty directories are read with their modes, and without the right to run as somebody else', async () => {
  writeFileSync(join(directory, 'run'), 'x')
  chmodSync(join(directory, 'run'), 0o4755)
  mkdirSync(join(directory, 'a/empty'), { recursive: true, mode: 0o750 })
  symlinkSync('../run', join(directory, 'a/link'))
  const { files } = await read()
  expect(files.map(({ path, kind, mode, target }) => [path, kind, mode, target])).toEqual([
    ['a/empty', 'directory', '0750', undefined],
    ['a/link', 'link', '0777', '../run'],
    ['run', 'file', '0755', undefined],
  ])
})

test('another text of a link is another release', async () => {
  symlinkSync('one', join(directory, 'link'))
  const { sha256 } = await read()
  rmSync(join(directory, 'link'))
  symlinkSync('two', join(directory, 'link'))
  expect((await read()).sha256).not.toBe(sha256)
})

test.each([
  [
    'a large file',
    () => writeFileSync(join(directory, 'big'), 'x'.repeat(101)),
    '"big" has 101 bytes, more than release.fileBytes (100)',
  ],
  [
    'too many files',
    () => [1, 2, 3, 4, 5].forEach((n) => writeFileSync(join(directory, `${n}`), '')),
    'it holds 5 files, more than release.files (4)',
  ],
  [
    'a name that is not UTF-8',
    () => writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff])]), ''),
    'is not UTF-8',
  ],
])('%s is refused by name', async (_what, arrange, message) => {
  arrange()
  await expect(read()).rejects.toMatchObject({ type: 'Refused', message: expect.stringContaining(message) })
})

test('a socket is refused by name', async () => {
  const server = createServer().listen(join(directory, 'socket'))
  await new Promise((resolve) => server.once('listening', resolve))
  await expect(read()).rejects.toThrow('"socket" is neither a file, a link nor a directory')
  server.close()
})

test('a release that is not there, or is a file, is refused', async () => {
  rmSync(directory, { recursive: true })
  await expect(read()).rejects.toMatchObject({ type: 'Refused', message: expect.stringContaining('cannot be read') })
  writeFileSync(directory, '')
  await expect(read()).rejects.toMatchObject({ type: 'Refused', message: expect.stringContaining('ENOTDIR') })
})
