/** "site=berlin, disk=ssd" and back; what is no pair comes back with an empty value, which the schema refuses. */
type Labels = Readonly<Record<string, string>>

export const labelsText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')

export function readLabels(text: string): Labels {
  const pairs = text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
  return Object.fromEntries(
    pairs.map((pair) => {
      const cut = pair.indexOf('=')
      return cut < 0 ? [pair, ''] : [pair.slice(0, cut).trim(), pair.slice(cut + 1).trim()]
    }),
  )
}
