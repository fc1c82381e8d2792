/**
 * Remedies are written once for everybody, in the words of the command line. Here they are said in those of the portal: what who reads
 * them can open, press or fill in. What is done on a machine stays as it came. Pure.
 */

/** In this order: the longer ones before those that begin as they do. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  // what is listed
  [/`postern group list`/g, '“Groups”, under People'],
  [/`postern grant list`/g, '“Roles given”, under People'],
  [/`postern token list`/g, '“Tokens”, under People'],
  [/`postern person list`/g, '“People”'],
  [/`postern person sign-ins`/g, '“Your account”'],
  [/`postern oidc list`/g, '“Sign-in”, under People'],
  [/`postern gateway list`/g, '“Gateways”'],
  [/`postern node list GATEWAY`/g, 'the page of the gateway'],
  [/`postern store list`/g, '“Stores”'],
  [/`postern store browse(?: NAME)?`/g, '“Browse” on the page of the store'],
  [/`postern run list`/g, '“Runs”'],
  [/GET \/v1\/queries/g, 'the query log'],
  // what is done on another page
  [/with `postern person reset NAME`/g, 'on your page under People'],
  [/with `postern gateway keys NAME --regenerate 1`/g, 'under “Keys” of the gateway'],
  [/`postern gateway keys NAME --regenerate 1`/g, '“Keys” of the gateway'],
  [/with `postern gateway set`/g, 'in the settings of the gateway'],
  [/Set POSTERN_TOKEN, or sign in with `postern login URL`/g, 'Sign in'],
  [/Sign in with `postern login URL --name NAME`(?:, which asks for a new one; or send `newPassword` too)?/g, 'Sign in with your password'],
  [/`postern run rerun ID`/g, '“Run again”'],
  [/`postern query`/g, '“Queries”'],
  [/`postern copy`/g, '“Copy”'],
  // fields of the form of a query, a store, a copy
  [/or maxRows/g, 'or “Rows at most”'],
  [/mode "write"/g, '“May write”'],
  [/Give it with --secret, so that/g, 'Type it into its own field, so that'],
  [/--mode append/g, '“Append”'],
  [/--mode overwrite/g, '“Overwrite”'],
  [/--from "(\(.+?\))"/g, '“A query’s result” $1'],
  [/--node NAME/g, '“Only on the node”'],
  [/--verify/g, '“Verify”'],
  [/with --to\b/g, 'under “Into the store”'],
  [/--key/g, '“Key”'],
  [/--parts/g, '“Parts”'],
  [/--parallel/g, '“Parts at a time”'],
  [/--split-by/g, '“Cut by the column”'],
  [/raise jobConcurrency of the nodes/g, 'raise “Copy tasks that one node runs at a time” in the settings of the gateway'],
  [/let more \(parallel\)/g, 'let more (“Parts at a time”)'],
  [/Choose another with --name/g, 'Choose another name'],
  [/skipIncompatibleRows/g, '“Leave out rows that the target cannot take”'],
]

export const inPortalWords = (remedy: string): string => WORDS.reduce((text, [line, page]) => text.replace(line, page), remedy)
