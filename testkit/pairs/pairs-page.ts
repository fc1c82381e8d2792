/** docs/reference/pairs.md, from what runs said of themselves: pure. */

export interface Pair {
  readonly from: string
  readonly into: string
  readonly lane: string
  readonly guarantee: string
  /** Of four that were asked for. */
  readonly parts: number
  /** Whether all parts show the source at one moment. */
  readonly oneMoment: boolean
  readonly rowsPerSecond: number
}

export function pairsPage(pairs: readonly Pair[], rows: number): string {
  const body = pairs.map(({ from, into, lane, guarantee, parts, oneMoment, rowsPerSecond }) => {
    const moment = oneMoment ? 'one snapshot' : 'as it is read'
    return `| ${from} | ${into} | ${lane} | ${guarantee} | ${parts} | ${moment} | ${rowsPerSecond.toLocaleString('en-US')} |`
  })
  return `# Pairs of stores

Made by \`testkit/pairs\`: each pair is copied by two nodes and read again at the other end without our code. Four parts were asked for. The rate is that of one
run of ${rows.toLocaleString('en-US')} rows of five columns from the request to the verified end (checksum) on 2 shared cores, databases included: it tells pairs apart, no more.

Every pair resumes part by part: \`postern run rerun\` copies the parts without a commit record in the target and no others.

| from | to | lane | guarantee | parts | the parts show | rows/s |
| --- | --- | --- | --- | --- | --- | --- |
${body.join('\n')}
`
}

/** Two pages that differ only in what was measured are the same. */
export function withoutRates(page: string): string {
  return page.replace(/ [\d,]+ \|$/gm, ' |').replace(/run of [\d,]+ rows/, 'run of rows')
}
