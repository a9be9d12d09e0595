import { quote } from '../../commands/shell.js'
import { StepbackError } from '../../plan/failure.js'
import { type Manifest, parseManifest } from '../../plan/manifest.js'

export interface Shelf {
  readonly target: { readonly name: string; readonly backups: string }
  look(script: string): Promise<string>
}

/** Every restore point of this target that has its manifest, newest first. */
export async function readManifests(shelf: Shelf): Promise<Manifest[]> {
  const stdout = await shelf.look(
    [
      `cd ${quote(shelf.target.backups)} 2>/dev/null || exit 0`,
      'for f in manifest_*.json; do [ -f "$f" ] || continue; tr -d "\\n" <"$f"; echo; done',
      '',
    ].join('\n'),
  )
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map(parseManifest)
    .filter((manifest) => manifest.target === shelf.target.name)
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
}

export async function readManifest(shelf: Shelf, id: string): Promise<Manifest> {
  const stdout = await shelf.look(`cat ${quote(`${shelf.target.backups}/manifest_${id}.json`)} 2>/dev/null || true\n`)
  if (stdout !== '') return parseManifest(stdout)
  throw new StepbackError({
    type: 'StepFailed',
    message: `restore point "${id}" of target "${shelf.target.name}" has no manifest`,
    hint: 'without a manifest a restore point was never finished.',
  })
}
