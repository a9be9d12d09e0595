export interface LedgerRecord {
  readonly number: number
  readonly prev: string
  readonly sha256: string
  readonly token: number
  readonly id: string
  readonly at: string
  readonly entry: object
  /** Written by a fenced run behind an entry of a greater token: not to be believed. */
  readonly void: boolean
}
