import { tellStories } from './stories.js'
tellStories('bash')
