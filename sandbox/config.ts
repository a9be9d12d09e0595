import { stringify } from 'yaml'
import type { SandboxPaths } from './paths.js'
import { sshFacts } from './ssh.js'
import type { Ports } from './state.js'

export const composeFile = 'stacks/brain/docker-compose.yml'

/** The configuration of the sandbox's only target, as an operator would have written it. */
export function renderConfig(paths: SandboxPaths, ports: Ports): string {
  return `# Written by "stepback sandbox up"; changes are lost with the next one.\n${stringify({
    temporal: {
      address: `127.0.0.1:${ports.temporal}`,
      namespace: 'default',
      ui: `http://127.0.0.1:${ports.ui}`,
    },
    metrics: { port: ports.metrics, every: '15s' },
    targets: { aria: target(paths, ports) },
  })}`
}

function target(paths: SandboxPaths, ports: Ports) {
  const { user, identityFile, knownHosts } = sshFacts(paths)
  const api = `http://127.0.0.1:${ports.api}`
  return {
    // nobody's own SSH configuration has a say in it
    ssh: { host: '127.0.0.1', port: ports.ssh, user, identityFile, knownHosts: [knownHosts], config: '/dev/null' },
    directory: paths.directory,
    backups: paths.backups,
    compose: { project: paths.project, files: [composeFile], envFile: '.env' },
    services: { application: ['aria-brain', 'aria-api', 'aria-web'], stopGrace: '10s' },
    managed: ['models.yaml'],
    protected: ['soul'],
    logs: { service: 'aria-brain', lines: 50 },
    deployLog: 'deploy.log',
    incidents: 'aria_memories/logs',
    health: {
      checks: [
        { name: 'health', url: `${api}/health`, json: { status: 'ok' } },
        { name: 'api', url: `${api}/api/health`, json: { status: 'ok' } },
        { name: 'metrics', url: `http://127.0.0.1:${ports.brain}/metrics`, contains: 'aria_build_info' },
        { name: 'grafana', url: `http://127.0.0.1:${ports.grafana}/` },
        { name: 'database', service: 'aria-db', command: ['pg_isready', '-U', 'aria'] },
      ],
      timeout: '30s',
      interval: '1s',
    },
    version: { url: `${api}/api/status`, field: 'version' },
    watch: { window: '10s', interval: '1s', failures: 3 },
    database: {
      service: 'aria-db',
      name: 'aria_blue',
      user: { envFile: 'POSTGRES_USER' },
      password: { envFile: 'DB_PASSWORD' },
      port: ports.db,
      migrations: 'reference',
      ignore: { columns: ['*.openclaw_*'] },
    },
    emergency: {
      disk: { logs: { path: 'aria_memories/logs' } },
      memory: {
        service: 'ollama',
        key: 'OLLAMA_MODEL',
        value: 'qwen3:14b',
        services: ['ollama', 'litellm'],
        // what the stand-in holds with its larger model, and some more
        serviceBytes: 300_000_000,
        settle: '2s',
      },
    },
    checks: [{ name: 'models', command: ['grep', '-q', '^models:', 'models.yaml'], directory: paths.directory }],
    hooks: [{ name: 'mark', when: 'after-deploy', command: ['touch', 'aria_memories/deployed'] }],
    memories: { path: 'aria_memories' },
    secrets: ['DB_PASSWORD'],
    undo: { mayLoseRows: 1000 },
  }
}
