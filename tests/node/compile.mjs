// The MJML project's own compiler, strict: `node compile.mjs [FILE…]`, or MJML on standard input.
// Prints a JSON list with {file, errors, html} for each; errors are sentences, html is "" where there are some.
// Exits with 0 whenever it could print that list.

import { readFileSync } from 'node:fs'

import mjml2html from 'mjml'

const STDIN = '-'

async function compile(file) {
  const source = readFileSync(file === STDIN ? 0 : file, 'utf8')
  try {
    const { html, errors } = await mjml2html(source, { validationLevel: 'strict', fonts: {}, ignoreIncludes: true })
    return { file, errors: errors.map((error) => error.formattedMessage), html }
  } catch (fault) {
    const errors = fault.errors?.map((error) => error.formattedMessage) ?? [String(fault)]
    return { file, errors, html: '' }
  }
}

const files = process.argv.slice(2)
const results = []
for (const file of files.length > 0 ? files : [STDIN]) results.push(await compile(file))
process.stdout.write(JSON.stringify(results))
