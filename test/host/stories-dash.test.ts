import { tellStories } from './stories.js'
tellStories('dash')
