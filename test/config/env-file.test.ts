import { describe, expect, test } from 'vitest'
import { parseEnvFile } from '../../src/config/env-file.js'
import { envFile, values } from '../support/env-file.js'

describe('an environment file', () => {
  const read = parseEnvFile(envFile)

  test.each(Object.entries(values))('gives %s the value that Compose reads: %j', (key, value) => {
    expect(read.get(key)).toBe(value)
  })

  test('holds no other keys', () => {
    expect([...read.keys()].toSorted()).toEqual(Object.keys(values).toSorted())
  })

  test('of another system, with its mark and its line ends, reads the same', () => {
    const other = parseEnvFile(`\uFEFF${envFile.replaceAll('\n', '\r\n')}`)
    for (const [key, value] of Object.entries(values)) expect(other.get(key)?.replaceAll('\r\n', '\n')).toBe(value)
  })

  test.each(['# A=1', 'just words', '', 'A\nB'])('%j sets nothing', (text) => {
    expect([...parseEnvFile(text)]).toEqual([])
  })
})
