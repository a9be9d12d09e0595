// What lies around on a full disk, looked at without writing a byte.

import { type ComposeStack, compose } from '../../commands/compose.js'
import { danglingImages, rememberedWords } from '../../commands/observe.js'
import { listShelf } from '../../commands/prune.js'
import { parseComposeVolumes } from '../../plan/compose.js'
import { type DiskFacts, asksForNames, hasEnded } from '../../plan/emergency/disk.js'
import { composeStack } from '../context.js'
import { together } from '../together.js'
import { readContainers, readVolumes } from './containers.js'
import { readDockerRoot } from './docker.js'
import { stackOf } from './facts.js'
import type { Look } from './look.js'
import { readShelf } from './manifests.js'

export async function observeDisk(look: Look): Promise<DiskFacts> {
  const [root, containers, listed, danglingIds, volumes, { manifests, unreadable }, shelf] = await together([
    readDockerRoot(look),
    readContainers(look),
    look.listed(),
    linesOf(look, danglingImages),
    readVolumes(look),
    readShelf(look),
    linesOf(look, listShelf(look.target.backups)),
  ])
  const mounted = listed.flatMap((it) => it.mounts)
  const names = asksForNames({ stack: stackOf(look), containers }, { volumes, mounted })
  const [named, remembered] = names
    ? await together([readNamed(look, composeStack(look.target)), linesOf(look, rememberedWords(look.target.backups))])
    : [null, []]
  const { project } = look.target.compose
  const runs = listed.filter((it) => it.madeBy === 'run' && it.project === project && hasEnded(it))
  return {
    dockerRoot: root,
    endedRuns: runs.map((it) => it.id),
    danglingImages: danglingIds,
    volumes,
    mounted,
    named,
    remembered,
    manifests,
    unreadable: unreadable.length,
    shelf,
  }
}

async function linesOf(look: Look, script: string): Promise<string[]> {
  return (await look.look(script)).split('\n').filter((line) => line !== '')
}

/** With every profile: a service that is not started at the moment owns its volume all the same. */
async function readNamed(look: Look, stack: ComposeStack): Promise<string[] | null> {
  const everything = compose({ ...stack, profiles: ['*'] }, 'config', '--format', 'json')
  const { exitCode, stdout } = await look.try(`${everything}\n`)
  return exitCode === 0 ? parseComposeVolumes(stdout, { external: true }).flatMap(({ key, name }) => [key, name]) : null
}
