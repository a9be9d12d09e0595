import { join } from 'node:path'
import { placeFiles, restoreFiles as restoreScript } from '../commands/files.js'
import { StepbackError } from '../plan/failure.js'
import type { ActDefinition } from './act.js'
import { doneAgain } from './context.js'
import { readManifest } from './observe/manifests.js'

/** Uploads into the run's own staging directory; a job under the lease moves the files into place. */
export const putFiles: ActDefinition<'putFiles'> = {
  jobs: ['place'],
  run: async (context, { release: directory, sha256 }) => {
    const release = await context.deps.readRelease({ directory, protected: context.target.protected })
    if (release.sha256 !== sha256) {
      throw new StepbackError({
        type: 'StepFailed',
        message: `release "${directory}" changed since the plan was made`,
        hint: 'deploy it again, from a directory that nobody writes to.',
      })
    }
    const staging = `${context.staging}/release`
    for (const file of release.files) {
      const localPath = join(directory, file.path)
      await context.ssh.upload({
        localPath,
        remotePath: `${staging}/${file.path}`,
        mode: 0o600,
        signal: context.signal,
      })
    }
    const script = placeFiles({ directory: context.target.directory, staging, files: release.files })
    await context.job('place', script, { holds: doneAgain })
    return `${release.files.length} files`
  },
}

export const restoreFiles: ActDefinition<'restoreFiles'> = {
  jobs: ['restore'],
  run: async (context, { from, secrets }) => {
    const id = context.restorePoint(from)
    const manifest = await readManifest(context, id)
    const { directory, compose, secrets: secretKeys } = context.target
    const composeFile = compose.files[0]!
    const own = [composeFile, compose.envFile]
    const inArchive = manifest.files.flatMap((file) => (file.path && !own.includes(file.path) ? [file.path] : []))
    const whole = manifest.files.filter((file) => own.includes(file.path ?? '') || file.path === undefined)
    const script = restoreScript({
      directory,
      backups: context.backups,
      staging: `${context.staging}/back`,
      id,
      composeFile,
      envFile: compose.envFile,
      archives: whole.filter((file) => !file.name.startsWith('db_')),
      modes: Object.fromEntries(manifest.files.flatMap((file) => (file.path ? [[file.path, file.mode]] : []))),
      paths: inArchive,
      absent: manifest.absentPaths,
      liveKeys: secrets === 'keep' ? secretKeys : [],
    })
    await context.job('restore', script, { holds: doneAgain })
    return `${inArchive.length + whole.length - 1} files put back, ${manifest.absentPaths.length} removed`
  },
}
