/** Whether a copy would read what it writes: pure. */

/** A table or path as people write it, for comparing: without quotes, "./", trailing "/", and the case of unquoted names. */
function plain(place: string): string {
  return place
    .trim()
    .replaceAll('"', '')
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/+$/, '')
    .toLowerCase()
}

/** The folder of a glob: what stands before its first pattern. */
function folderOf(path: string): string {
  const pattern = path.search(/[*?[{]/)
  return pattern < 0 ? path : path.slice(0, path.lastIndexOf('/', pattern) + 1)
}

/** True when, within one store, `to` is what `from` reads. A statement in brackets is never compared. */
export function samePlace(from: string, to: string): boolean {
  if (from.trim().startsWith('(')) return false
  return plain(from) === plain(to) || (folderOf(from) !== from && plain(folderOf(from)) === plain(to))
}
