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
      'for f in manifest_*.json; do [ -f "$f" ] || continue; printf "%s\\n" "$f" | tr "\\n" " "; tr -d "\\n" <"$f"; echo; done',
      '',
    ].join('\n'),
  )
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parsed(shelf, line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)))
    .filter((manifest) => manifest.target === shelf.target.name)
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
}

export async function readManifest(shelf: Shelf, id: string): Promise<Manifest> {
  const stdout = await shelf.look(`cat ${quote(`${shelf.target.backups}/manifest_${id}.json`)} 2>/dev/null || true\n`)
  if (stdout !== '') return parsed(shelf, `manifest_${id}.json`, stdout)
  throw new StepbackError({
    type: 'StepFailed',
    message: `restore point "${id}" of target "${shelf.target.name}" has no manifest`,
    hint: 'without a manifest a restore point was never finished.',
  })
}

/** Which of many cannot be read is what a person has to know. */
function parsed(shelf: Shelf, name: string, text: string): Manifest {
  try {
    return parseManifest(text)
  } catch (error) {
    if (!(error instanceof StepbackError)) throw error
    throw new StepbackError({
      type: 'Refused',
      message: `"${shelf.target.backups}/${name}" cannot be read: ${error.message.split('\n')[0]}`,
      hint: 'put a good copy of it back, or move it and the files of its restore point out of the backups directory.',
    })
  }
}
