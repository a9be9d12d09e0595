import { installPackages, which } from './apt.js'

const programs = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** A real Chromium, which tests look at pages with; and letters for it, which a machine without a desktop lacks. */
export async function chromium(): Promise<string> {
  const known = process.env['CHROMIUM'] || (await find())
  if (known) return known
  const manual = 'install Chromium, or name it in CHROMIUM: tests look at pages with it'
  await installPackages(['chromium', 'fonts-dejavu-core'], manual)
  const installed = await find()
  if (!installed) throw new Error(manual)
  return installed
}

async function find(): Promise<string | undefined> {
  for (const program of programs) {
    const found = await which(program)
    if (found) return found
  }
  return undefined
}
