import { join } from 'node:path'
import { type RestoredFile, placeFiles, restoreFiles as restoreScript } from '../commands/files.js'
import { StepbackError } from '../plan/failure.js'
import type { ManifestFile } from '../plan/manifest.js'
import { linkEnds } from '../plan/release.js'
import { isWhole, wayBack, wayBackOf } from '../plan/way-back.js'
import type { ActDefinition } from './act.js'
import { doneAgain } from './context.js'
import { readManifest, readManifests } from './observe/manifests.js'
import { together } from './together.js'

/** Uploads into the run's own staging directory; a job under the lease moves the files into place. */
export const putFiles: ActDefinition<'putFiles'> = {
  jobs: ['place'],
  run: async (context, { release: directory, sha256 }) => {
    const release = await context.deps.readRelease({ directory, limits: context.target.release })
    if (release.sha256 !== sha256) {
      throw new StepbackError({
        type: 'StepFailed',
        message: `release "${directory}" changed since the plan was made`,
        hint: 'deploy it again, from a directory that nobody writes to.',
      })
    }
    const staging = `${context.staging}/release`
    for (const file of release.files.filter((it) => it.kind === 'file')) {
      const localPath = join(directory, file.path)
      await context.ssh.upload({
        localPath,
        remotePath: `${staging}/${file.path}`,
        mode: 0o600,
        signal: context.signal,
      })
    }
    const ends = linkEnds(release.files)
    const script = placeFiles({ directory: context.target.directory, staging, files: release.files, ends })
    await context.job('place', script, { holds: doneAgain })
    return `${release.files.length} files`
  },
}

export const restoreFiles: ActDefinition<'restoreFiles'> = {
  jobs: ['restore'],
  looksFirst: true,
  run: async (context, { from, secrets, only }) => {
    const [manifests, manifest] = await together([
      readManifests(context),
      readManifest(context, context.restorePoint(from)),
    ])
    const { files, absent, sources } = wayBackOf(wayBack(manifest, manifests, context.safety), only)
    const script = restoreScript({
      directory: context.target.directory,
      backups: context.backups,
      staging: `${context.staging}/back`,
      sources,
      files: files.map(restored),
      absent,
      envFile: context.target.compose.envFile,
      liveKeys: secrets === 'keep' ? context.target.secrets : [],
    })
    await context.job('restore', script, { holds: doneAgain })
    const put = files.filter((file) => file.kind !== 'directory').length
    return `${put} files put back, ${absent.length} paths kept out`
  },
}

/** A file of a manifest as it is to be again. */
export function restored(file: ManifestFile): RestoredFile {
  const { name, mode, kind = 'file', target } = file
  return { path: file.path!, kind, name, mode, archived: !isWhole(file), ...(target === undefined ? {} : { target }) }
}
