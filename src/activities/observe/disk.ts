// What lies around on a full disk, looked at without writing a byte.

import { type ComposeStack, compose } from '../../commands/compose.js'
import { danglingImages, dockerRoot, endedRuns, mountedVolumes, rememberedWords } from '../../commands/observe.js'
import { listShelf } from '../../commands/prune.js'
import { parseComposeVolumes } from '../../plan/compose.js'
import type { DiskFacts } from '../../plan/emergency/disk.js'
import { composeStack } from '../context.js'
import { together } from '../together.js'
import { readVolumes } from './containers.js'
import type { Look } from './look.js'
import { readShelf } from './manifests.js'

export async function observeDisk(look: Look): Promise<DiskFacts> {
  const { backups, compose: stack } = look.target
  const lines = async (script: string) => (await look.look(script)).split('\n').filter((line) => line !== '')
  const [root, ended, dangling, volumes, mounted, named, remembered, { manifests, unreadable }, shelf] = await together(
    [
      lines(dockerRoot),
      lines(endedRuns(stack.project)),
      lines(danglingImages),
      readVolumes(look),
      readMounted(look),
      readNamed(look, composeStack(look.target)),
      lines(rememberedWords(backups)),
      readShelf(look),
      lines(listShelf(backups)),
    ],
  )
  return {
    dockerRoot: root[0] ?? null,
    endedRuns: ended,
    danglingImages: dangling,
    volumes,
    mounted,
    named,
    remembered,
    manifests,
    unreadable: unreadable.length,
    shelf,
  }
}

/** What is not known for certain owns everything. */
async function readMounted(look: Look): Promise<string[] | null> {
  const { exitCode, stdout } = await look.try(mountedVolumes)
  return exitCode === 0 ? stdout.split('\n') : null
}

/** With every profile: a service that is not started at the moment owns its volume all the same. */
async function readNamed(look: Look, stack: ComposeStack): Promise<string[] | null> {
  const everything = compose({ ...stack, profiles: ['*'] }, 'config', '--format', 'json')
  const { exitCode, stdout } = await look.try(`${everything}\n`)
  return exitCode === 0 ? parseComposeVolumes(stdout, { external: true }).flatMap(({ key, name }) => [key, name]) : null
}
