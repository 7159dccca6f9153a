// questions.md: the thirty questions, each with the page that answers it.
import { questions } from '../questions.mjs'
import { generatedBy } from './support.mjs'

const linkOf = page => page.replace(/^([^#]+)/, '$1.md')

export function questionsPage() {
  const sections = questions.map(
    ({ topic, asked }) =>
      `## ${topic}\n\n${asked.map(({ question, page }) => `- [${question}](${linkOf(page)})`).join('\n')}`,
  )
  const intro = `What people ask most about Kafka producers. Each question leads to its answer. For anything else use the search: it knows
every option, every error and every call.`
  return `${['# Thirty questions', generatedBy('site/questions.mjs'), intro, ...sections].join('\n\n')}\n`
}
