/** Rows of cells as lines, each column as wide as its widest cell; numbers stand on the right. */
export function columns(rows: readonly (readonly (string | number)[])[]): string[] {
  const widths = rows.reduce<number[]>((widest, row) => {
    return row.map((cell, index) => Math.max(widest[index] ?? 0, String(cell).length))
  }, [])
  return rows.map((row) =>
    row
      .map((cell, index) => pad(cell, widths[index]!))
      .join('  ')
      .trimEnd(),
  )
}

function pad(cell: string | number, width: number): string {
  return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width)
}
