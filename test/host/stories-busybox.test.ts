import { tellStories } from './stories.js'
tellStories('busybox sh')
