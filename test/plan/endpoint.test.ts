import { describe, expect, test } from 'vitest'
import { type Inspected, endpoints, unreachable } from '../../src/plan/endpoint.js'

describe('a database is reached', () => {
  const container = (settings: Inspected['NetworkSettings'], env: string[] = [], mode = 'shop_default'): Inspected => ({
    Config: { Env: env },
    HostConfig: { NetworkMode: mode },
    NetworkSettings: settings,
  })
  const networks = { a: { IPAddress: '10.1.0.2', GlobalIPv6Address: '' }, b: { IPAddress: '10.2.0.2' } }

  test.each([
    ['at its published port', [{ HostIp: '127.0.0.1', HostPort: '15432' }], '127.0.0.1:15432'],
    ['on the loopback where it is published everywhere', [{ HostIp: '0.0.0.0', HostPort: '5432' }], '127.0.0.1:5432'],
    ['on the other loopback where it is published over IPv6', [{ HostIp: '::', HostPort: '5432' }], '::1:5432'],
    ['at the one address that it is published on', [{ HostIp: 'fd00::1', HostPort: '5432' }], 'fd00::1:5432'],
  ])('%s', (_what, bindings, first) => {
    const ports = { '9187/tcp': [{ HostIp: '', HostPort: '9187' }], '5432/tcp': bindings }
    const [found] = endpoints(container({ Ports: ports, Networks: networks }))
    expect(`${found!.host}:${found!.port}`).toBe(first)
  })

  test('at every other port that it is published on, and at its own address in each network behind those', () => {
    const bindings = [
      { HostIp: '10.9.9.9', HostPort: '1' },
      { HostIp: '127.0.0.1', HostPort: '2' },
    ]
    expect(endpoints(container({ Ports: { '5432/tcp': bindings }, Networks: networks }))).toEqual([
      { host: '10.9.9.9', port: 1 },
      { host: '127.0.0.1', port: 2 },
      { host: '10.1.0.2', port: 5432 },
      { host: '10.2.0.2', port: 5432 },
    ])
  })

  test('at the port that its server was told, and on the host itself where it shares its network', () => {
    const found = endpoints(container({ Ports: {}, Networks: { host: { IPAddress: '' } } }, ['PGPORT=5544'], 'host'))
    expect(found).toEqual([{ host: '127.0.0.1', port: 5544 }])
  })
})

test('a database that nothing leads to is refused with the line that would publish it', () => {
  expect(unreachable('db', [{ host: '10.1.0.2', port: 5432 }])).toMatchObject({
    type: 'Refused',
    message: expect.stringContaining('"db" cannot be reached from its host: nothing answers at 10.1.0.2 port 5432'),
    hint: expect.stringContaining('`ports: ["127.0.0.1:5432:5432"]` to service "db"'),
  })
})
