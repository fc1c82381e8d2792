import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
  completionStatus,
} from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { MySQL, PostgreSQL, type SQLNamespace, sql } from '@codemirror/lang-sql'
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { Compartment, EditorState, type Extension, Prec } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, placeholder } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useRef } from 'react'

export interface SqlEditorProps {
  readonly value: string
  readonly onChange: (text: string) => void
  /** Ctrl-Enter, or Cmd-Enter. */
  readonly onRun: () => void
  /** Which words are key words. */
  readonly kind: string
  /** Tables and their columns, to complete. */
  readonly names: SQLNamespace
}

/** Colours come from the theme, so the scheme may change under it. */
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: 'var(--mantine-primary-color-light-color)', fontWeight: '600' },
  { tag: [tags.string, tags.special(tags.string)], color: 'light-dark(#8a3b00, #ffb878)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'light-dark(#1a5fb4, #99c1f1)' },
  { tag: tags.comment, color: 'var(--mantine-color-dimmed)', fontStyle: 'italic' },
  { tag: [tags.typeName, tags.standard(tags.name)], color: 'light-dark(#6b2fa0, #d0b0f0)' },
])

const look = EditorView.theme({
  '&': {
    fontSize: 'var(--mantine-font-size-sm)',
    border: '1px solid var(--mantine-color-default-border)',
    borderRadius: 'var(--mantine-radius-sm)',
    backgroundColor: 'var(--mantine-color-body)',
    color: 'var(--mantine-color-text)',
  },
  '&.cm-focused': { outline: '2px solid var(--mantine-primary-color-filled)', outlineOffset: '-1px' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', minHeight: '140px', maxHeight: '45vh' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--mantine-color-dimmed)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'var(--mantine-color-default-hover)' },
  '.cm-activeLineGutter': { backgroundColor: 'transparent' },
  '.cm-content': { caretColor: 'var(--mantine-color-text)' },
  '.cm-placeholder': { color: 'var(--mantine-color-dimmed)' },
  '.cm-cursor': { borderLeftColor: 'var(--mantine-color-text)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--mantine-primary-color-light)',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--mantine-color-body)',
    border: '1px solid var(--mantine-color-default-border)',
    color: 'var(--mantine-color-text)',
  },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'var(--mantine-primary-color-filled)',
    color: 'var(--mantine-color-white)',
  },
})

/** Completions that were still looked for when the keyboard went elsewhere would stay open over the page. After the update, which must end first. */
const closesElsewhere = EditorView.updateListener.of(({ state, view }) => {
  if (completionStatus(state) !== null && !view.hasFocus) queueMicrotask(() => closeCompletion(view))
})

/** Tab is left to the page: who works by keyboard gets out of the editor as of any field. */
const FIXED: readonly Extension[] = [
  lineNumbers(),
  history(),
  drawSelection(),
  bracketMatching(),
  closeBrackets(),
  autocompletion({ icons: false }),
  closesElsewhere,
  highlightActiveLine(),
  syntaxHighlighting(colours),
  EditorView.lineWrapping,
  EditorView.contentAttributes.of({ 'aria-label': 'Statement', spellcheck: 'false' }),
  placeholder('select …'),
  look,
  keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap]),
]

function languageOf(kind: string, names: SQLNamespace): Extension {
  return sql({ dialect: kind === 'mysql' ? MySQL : PostgreSQL, schema: names })
}

export function SqlEditor({ value, onChange, onRun, kind, names }: SqlEditorProps) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  const language = useRef(new Compartment())
  const calls = useRef({ onChange, onRun })
  calls.current = { onChange, onRun }
  const first = useRef({ value, kind, names })

  useEffect(() => {
    if (!host.current) return
    const run = (editor: EditorView) => {
      closeCompletion(editor)
      calls.current.onRun()
      return true
    }
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: first.current.value,
        extensions: [
          Prec.highest(keymap.of([{ key: 'Mod-Enter', run }])),
          ...FIXED,
          language.current.of(languageOf(first.current.kind, first.current.names)),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) calls.current.onChange(update.state.doc.toString())
          }),
        ],
      }),
    })
    view.current = made
    return () => {
      view.current = undefined
      made.destroy()
    }
  }, [])

  useEffect(() => {
    view.current?.dispatch({ effects: language.current.reconfigure(languageOf(kind, names)) })
  }, [kind, names])

  useEffect(() => {
    const there = view.current
    if (!there || there.state.doc.toString() === value) return
    there.dispatch({ changes: { from: 0, to: there.state.doc.length, insert: value } })
  }, [value])

  return <div ref={host} />
}
