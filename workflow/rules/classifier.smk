# The classifier: example images (labelled or of unmarked animals), training, and the identity evidence of each tracklet.


rule trainset:
    input:
        labels=given(PLAN.labels),
        left_out=given(PLAN.left_out),
        blobs=files("segment", PLAN.labelled),
        tracklets=files("tracklets", PLAN.labelled),
        background=files(
            "background", [PLAN.scene_of[movie] for movie in PLAN.labelled]
        ),
    output:
        out=at("trainset/trainset.h5"),
    log:
        at("logs/trainset/trainset.log"),
    benchmark:
        at("benchmarks/trainset/trainset.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(60),
    params:
        settings=settings("trainset"),
        version=version("trainset"),
    shell:
        "python -m herdbook.stages.trainset --labels {input.labels:q} --left_out {input.left_out:q} --blobs {input.blobs:q}"
        " --tracklets {input.tracklets:q} --background {input.background:q} --out {output.out:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"


rule train:
    input:
        trainset=training_set,
        use=given(classifier_files(EXPERIMENT.train.use)),
        start=given(classifier_files(EXPERIMENT.train.start)),
        model=given([EXPERIMENT.train.model] if EXPERIMENT.train.model else []),
        like=given(classifier_files(EXPERIMENT.animals.like)),
    output:
        out=at("train/classifier.keras"),
        card=at("train/classifier.json"),
        record=at("provenance/train.json"),
    log:
        at("logs/train/train.log"),
    benchmark:
        at("benchmarks/train/train.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(6000),
        runtime=scaled(240),
    params:
        settings=settings("train"),
        version=version("train"),
    shell:
        "python -m herdbook.stages.train --trainset {input.trainset:q} --use {input.use:q} --start {input.start:q}"
        " --model {input.model:q} --like {input.like:q} --out {output.out:q} --card {output.card:q}"
        " --record {output.record:q} --made {output:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"


rule classify:
    input:
        blobs=at("segment/{movie}.h5"),
        tracklets=at("tracklets/{movie}.h5"),
        background=file_of("background", PLAN.scene_of),
        trainset=at("trainset/trainset.h5") if PLAN.labelled else [],
        classifier=at("train/classifier.keras"),
        card=at("train/classifier.json"),
    output:
        out=at("classify/{movie}.h5"),
    log:
        at("logs/classify/{movie}.log"),
    benchmark:
        at("benchmarks/classify/{movie}.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 2
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(120),
    params:
        settings=settings("classify"),
        version=stage_version("classify"),
    shell:
        "python -m herdbook.stages.classify --blobs {input.blobs:q} --tracklets {input.tracklets:q}"
        " --background {input.background:q} --trainset {input.trainset:q} --classifier {input.classifier:q} --card {input.card:q}"
        " --out {output.out:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"
