"""The pretext task: is this pair of images synchronous?"""
