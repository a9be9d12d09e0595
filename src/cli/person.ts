import { hostname, userInfo } from 'node:os'

/** Who sits here, as far as the machine knows: a claim, to be read by people. */
export function person(): string {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    return hostname() // an account without a name, as containers have them
  }
}
