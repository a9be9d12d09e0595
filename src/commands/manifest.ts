import type { Manifest } from '../plan/manifest.js'
import { quote } from './shell.js'

/** Writes a manifest: last of all, and by rename, since this is what makes a restore point one. */
export function writeManifest(input: { readonly backups: string; readonly manifest: Manifest }): string {
  const file = `${input.backups}/manifest_${input.manifest.id}.json`
  return [
    'set -eu',
    'umask 077',
    `cat >${quote(`${file}.part`)} <<'STEPBACK-MANIFEST'`,
    JSON.stringify(input.manifest, null, 2),
    'STEPBACK-MANIFEST',
    `sync ${quote(`${file}.part`)} 2>/dev/null || sync`,
    `mv -f ${quote(`${file}.part`)} ${quote(file)}`,
    '',
  ].join('\n')
}
