import { createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { answers, freePorts } from '../../sandbox/ports.js'

test('free ports are different, and below the range of outgoing connections', async () => {
  const ports = await freePorts(9)
  expect(new Set(ports).size).toBe(9)
  expect(ports.every((port) => port >= 20_000 && port < 30_000)).toBe(true)
})

test("free ports are nobody else's, though nobody listens on them yet", async () => {
  const picks = await Promise.all(Array.from({ length: 40 }, () => freePorts(12)))
  expect(new Set(picks.flat()).size).toBe(40 * 12)
})

test('a port answers while something listens there, and not after', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  expect(await answers(port)).toBe(true)
  await new Promise((resolve) => server.close(resolve))
  expect(await answers(port)).toBe(false)
})
