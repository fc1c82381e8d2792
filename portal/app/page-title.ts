/** What a tab of the browser is called: the thing first, for only the first words of many tabs are seen. */
const MIDDLE: ReadonlySet<string> = new Set(['nodes', '-'])

export function titleOf(path: string): string {
  const [place, ...things] = path
    .split('/')
    .filter((part) => part !== '' && !MIDDLE.has(part))
    .map(decoded)
  return [...things.toReversed(), ...(place ? [place.slice(0, 1).toUpperCase() + place.slice(1)] : []), 'Postern'].join(' · ')
}

/** Half an escape, which somebody typed, is told as it stands. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
