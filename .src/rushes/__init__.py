"""rushes: video, image and audio generation for assistants and agents, over several paid gateways."""
