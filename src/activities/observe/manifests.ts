import { manifestLines } from '../../commands/manifest.js'
import { quote } from '../../commands/shell.js'
import { StepbackError } from '../../plan/failure.js'
import { type Manifest, parseManifest } from '../../plan/manifest.js'
import { type Shelf, type Unreadable, unreadable } from '../../plan/shelf.js'

interface Place {
  readonly target: { readonly name: string; readonly backups: string }
  look(script: string): Promise<string>
}

/** Every restore point of this target whose manifest can be read, newest first. */
export async function readManifests(place: Place): Promise<readonly Manifest[]> {
  return (await readShelf(place)).manifests
}

/** Every restore point that has its manifest, newest first; one that cannot be read spoils none of the others. */
export async function readShelf(place: Place): Promise<Required<Shelf>> {
  const stdout = await place.look(manifestLines(place.target.backups))
  const found = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parsed(place, line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)))
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
  return {
    manifests: found.flatMap((it) => ('why' in it || it.target !== place.target.name ? [] : [it])),
    unreadable: found.flatMap((it) => ('why' in it ? [it] : [])),
  }
}

export async function readManifest(place: Place, id: string): Promise<Manifest> {
  const name = `manifest_${id}.json`
  const stdout = await place.look(`cat ${quote(`${place.target.backups}/${name}`)} 2>/dev/null || true\n`)
  const found = stdout === '' ? undefined : parsed(place, name, stdout)
  if (found && 'why' in found) throw unreadable(found)
  if (found) return found
  throw new StepbackError({
    type: 'StepFailed',
    message: `restore point "${id}" of target "${place.target.name}" has no manifest`,
    hint: 'without a manifest a restore point was never finished.',
  })
}

/** Which of many cannot be read is what a person has to know. */
function parsed(place: Place, name: string, text: string): Manifest | Unreadable {
  try {
    return parseManifest(text)
  } catch (error) {
    if (!(error instanceof StepbackError)) throw error
    const id = name.slice('manifest_'.length, -'.json'.length)
    return { id, why: `"${place.target.backups}/${name}" cannot be read: ${error.message.split('\n')[0]}` }
  }
}
