import { removeDockerd, reviveDockerd } from './docker.js'
import { type SandboxPaths, sandboxPaths } from './paths.js'
import { type Progress, timed } from './progress.js'
import { stopProcess } from './processes.js'
import { removeDirectory } from './remove.js'
import { attempt } from './run.js'
import { openSession } from './session.js'
import { otherOwner, projectFilter, sandboxImages } from './stack.js'

/** Stops and removes all of the sandbox and nothing else; does nothing where there is none. */
export async function down(options: { readonly progress?: Progress; readonly root?: string } = {}): Promise<void> {
  const { progress = () => {}, root } = options
  const session = await openSession(root)
  const paths = sandboxPaths(root)
  if (session) {
    const { processes } = session.state
    await timed(progress, 'worker, Temporal server and SSH server stopped', async () => {
      await stopProcess(processes.worker)
      await Promise.all([stopProcess(processes.temporal), stopProcess(processes.sshd)])
    })
    const engine = processes.dockerd && (await reviveDockerd(paths, session.tools, processes.dockerd))
    await timed(progress, 'containers, volumes, networks and images removed', () => removeStack(paths, session.env))
    if (engine) await timed(progress, 'Docker Engine of the sandbox removed', () => removeDockerd(paths, engine))
  }
  await removeDirectory(paths.root)
}

/** By the project's label alone: it also finds what a changed compose file no longer names. */
async function removeStack(paths: SandboxPaths, env: NodeJS.ProcessEnv): Promise<void> {
  if (await otherOwner(paths, env)) return
  const label = projectFilter(paths)
  const list = async (...args: string[]) =>
    (await attempt(['docker', ...args], { env })).stdout.split('\n').filter((line) => line !== '')
  const remove = async (command: readonly string[], names: readonly string[]) => {
    if (names.length > 0) await attempt(['docker', ...command, ...names], { env })
  }
  await remove(['rm', '--force', '--volumes'], await list('ps', '--all', '--quiet', '--filter', label))
  await remove(['volume', 'rm', '--force'], await list('volume', 'ls', '--quiet', '--filter', label))
  await remove(['network', 'rm'], await list('network', 'ls', '--quiet', '--filter', label))
  const images = await list('images', '--all', '--quiet', '--no-trunc', '--filter', label)
  await remove(['rmi', '--force'], [...new Set(images)])
  // not forced: on a shared engine another sandbox may be running from these
  await remove(['rmi'], sandboxImages())
}
