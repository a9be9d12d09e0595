import { Look } from '../../src/activities/observe/look.js'
import { findTarget, parseConfig } from '../../src/config/load.js'
import type { Deps } from '../../src/activities/deps.js'

const config = parseConfig(
  `targets: { shop: { ssh: { host: shop }, directory: /srv, backups: /srv/backups,
    compose: { project: shop, files: [a.yml] }, services: { application: [web] } } }`,
  'stepback.yaml',
)

/** A look at target `shop` of a host that answers as it is told: what it prints, or null where the script fails. */
export async function lookAtFake(answer: (script: string) => string | null): Promise<Look> {
  const host = {
    stateDirectory: '/srv/backups/.stepback/shop',
    readLedger: async () => [],
    look: async ({ script }: { readonly script: string }) => {
      const stdout = answer(script)
      return stdout === null
        ? { exitCode: 1, stdout: '', stderr: 'it does not answer' }
        : { exitCode: 0, stdout, stderr: '' }
    },
  }
  const hosts = { ssh: async () => ({}), host: () => host }
  return await Look.at({ config, hosts } as unknown as Deps, findTarget(config, 'shop').name)
}

/** As Docker describes the one container of a stack that keeps its data in `/data/docker`. */
export const web = {
  Id: 'a'.repeat(64),
  Image: 'sha256:1',
  ResolvConfPath: `/data/docker/containers/${'a'.repeat(64)}/resolv.conf`,
  Config: { Image: 'web:1', Labels: { 'com.docker.compose.service': 'web' } },
  Mounts: [{ Type: 'volume', Name: 'shop_data', Source: '', Destination: '/data', RW: true }],
  State: { Running: true, Status: 'running' },
}

/** As Docker prints a container of the stack that it lists. */
export interface FakeContainer {
  readonly id: string
  readonly state: string
  readonly mounts?: string
  readonly project?: string
  readonly oneoff?: string
}

/** What a look at containers prints: every one of the host, and what Docker knows of the stack's own. */
export function around(containers: readonly FakeContainer[], inspected: readonly object[]): string {
  const listed = containers
    .map(({ id, state, mounts = '', project = 'shop', oneoff = 'False' }) =>
      JSON.stringify([id, state, mounts, id, project, oneoff, '/srv', '/srv/a.yml', '']),
    )
    .join('\n')
  return `${listed}\n\n${JSON.stringify(inspected)}\n`
}
